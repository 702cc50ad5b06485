//! `mut` is in the wrong place.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn change(message: mut &Message) -> Flow {
    Flow::Continue
}

fn main() {}
