//! A comma is missing after the name.

use event_core::prelude::*;

#[event("room-joined" kind = "chain")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &mut Joined) -> Flow {
    Flow::Handled
}

fn main() {}
