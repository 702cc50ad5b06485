//! Without a priority a handler stops nothing.

use event_core::prelude::*;

#[hook("message/bare")]
fn stop(_: &Message) -> Flow {
    Flow::Handled
}

fn main() {}
