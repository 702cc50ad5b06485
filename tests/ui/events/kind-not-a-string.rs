//! The kind is not a string.

use event_core::prelude::*;

#[event("room-joined", kind = chain)]
pub struct Joined;

#[hook(Joined)]
fn note(_: &mut Joined) -> Flow {
    Flow::Handled
}

fn main() {}
