//! A declared event is named as a string.

use event_core::prelude::*;

/// Joined.
#[event("room-joined", kind = "notification")]
pub struct RoomJoined;

#[hook("room-joined")]
fn look(_: &RoomJoined) {}

fn main() {}
