//! serde has no such attribute.

use event_core::{prelude::*, serde::Deserialize};

#[derive(Deserialize)]
#[serde(rename_al = "kebab-case")]
pub enum Policy {
    Open,
}

/// Rooms.
#[module]
pub struct Rooms {
    /// Who may enter.
    policy: Policy,
}

#[hook("message/bare")]
fn look(_: &Message, cx: &Context<Rooms>) {
    let _ = &cx.policy;
}

fn main() {}
