//! The kind does not exist; the event is hooked.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", kind = "veto")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &mut Joined) -> Flow {
    Flow::Handled
}

#[hook(Joined)]
async fn note_later(_: &Joined) {}

fn main() {}
