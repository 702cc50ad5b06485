//! The handler returns the author's own `Flow`.

use event_core::prelude::*;

pub enum Flow {
    Stop,
}

#[hook("message/bare", priority = 10)]
fn change(_: &mut Message) -> Flow {
    Flow::Stop
}

fn main() {}
