//! The event has two lifetimes.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
pub struct Joined<'a, 'b> {
    pub room: &'a str,
    pub who: &'b str,
}

fn main() {}
