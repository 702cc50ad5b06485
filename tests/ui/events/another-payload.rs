//! The handler takes another type than the event.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", kind = "notification")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &Presence) {}

fn main() {}
