//! The kind is misspelled; the event is hooked.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", kind = "chian")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &mut Joined) -> Flow {
    Flow::Handled
}

fn main() {}
