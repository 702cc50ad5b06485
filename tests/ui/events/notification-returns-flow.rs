//! The handler of a notification returns `Flow`.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &Joined) -> Flow {
    Flow::Handled
}

fn main() {}
