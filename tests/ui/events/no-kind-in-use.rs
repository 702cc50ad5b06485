//! The kind is missing; the event is hooked.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &Joined) {}

fn main() {}
