//! The type has no `Default`.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// For whom.
    #[serde(default)]
    owner: event_core::jid::BareJid,
}

fn main() {}
