//! Types of options.

use event_core::prelude::*;

use event_core::{jid::{BareJid, FullJid, Jid}, serde::{Deserialize, Serialize}};

/// Who may enter.
#[derive(Deserialize, Clone, Copy, Debug, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Everybody.
    #[default]
    Open,
    /// Members.
    #[serde(alias = "closed")]
    Members,
}

/// A room.
#[derive(Deserialize, Serialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Room<T> {
    jid: BareJid,
    policy: T,
}

/// Rooms.
#[module]
#[derive(Debug)]
pub struct Rooms {
    owner: Option<BareJid>,
    admins: Vec<Jid>,
    robot: FullJid,
    #[serde(default)]
    policy: Policy,
    rooms: Vec<Room<Option<u8>>>,
    limits: std::collections::BTreeMap<String, u32>,
}

fn main() {
    use event_core::Module;
    let table = "admins = ['a@b']\nrobot = 'a@b/c'\npolicy = 'closed'\nlimits = { a = 1 }\n[[rooms]]\njid = 'r@c'";
    let rooms = Rooms::options(table.parse().unwrap()).unwrap();
    assert_eq!((rooms.owner, rooms.policy), (None, Policy::Members));
    assert_eq!(rooms.rooms[0].policy, None);
    let error = Rooms::options(table.replace("a@b/c", "a@b").parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("in `robot`"), "{error}");
}
