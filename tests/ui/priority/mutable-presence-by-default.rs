//! Without a priority a handler only looks.

use event_core::prelude::*;

#[hook("presence/bare")]
fn change(_: &mut Presence) -> Flow {
    Flow::Handled
}

fn main() {}
