//! Nothing stops a notification.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", kind = "notification")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &Joined) -> Flow {
    Flow::Handled
}

fn main() {}
