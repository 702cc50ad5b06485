//! Two attributes on one struct.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", kind = "chain")]
#[event("room-entered", kind = "chain")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &mut Joined) -> Flow {
    Flow::Handled
}

fn main() {}
