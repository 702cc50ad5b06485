//! Words are joined by `-`.

use event_core::prelude::*;

#[event("room_joined", kind = "notification")]
pub struct Joined;

fn main() {}
