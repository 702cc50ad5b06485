//! The handler of a chain takes `&`.

use event_core::prelude::*;

#[event("room-joined", kind = "chain")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &Joined) -> Flow {
    Flow::Handled
}

fn main() {}
