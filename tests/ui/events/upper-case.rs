//! The name has upper-case letters.

use event_core::prelude::*;

#[event("RoomJoined", kind = "notification")]
pub struct Joined;

fn main() {}
