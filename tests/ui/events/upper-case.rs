//! A name is lower case.

use event_core::prelude::*;

#[event("RoomJoined", kind = "notification")]
pub struct Joined;

fn main() {}
