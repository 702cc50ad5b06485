//! The type of a field does not exist; the event is hooked.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
pub struct Joined {
    pub who: Occupant,
}

#[hook(Joined)]
fn note(_: &Joined) {}

fn main() {}
