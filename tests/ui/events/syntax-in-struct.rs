//! A colon is missing inside the struct.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
pub struct Joined {
    pub who String,
}

#[hook(Joined)]
fn note(_: &Joined) {}

fn main() {}
