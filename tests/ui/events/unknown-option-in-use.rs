//! The key is misspelled; the event is hooked.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", knd = "collect")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &mut Joined) {}

fn main() {}
