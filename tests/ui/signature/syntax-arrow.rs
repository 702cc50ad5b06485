//! The arrow of the return type is another.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn change(_: &mut Message) => Flow {
    Flow::Continue
}

fn main() {}
