//! A chain gives `&mut`.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", kind = "chain")]
pub struct Joined;

#[hook(Joined)]
fn check(_: &Joined) -> Flow {
    Flow::Handled
}

fn main() {}
