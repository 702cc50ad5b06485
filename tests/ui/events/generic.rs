//! The event is generic.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
pub struct Joined<T> {
    pub who: T,
}

fn main() {}
