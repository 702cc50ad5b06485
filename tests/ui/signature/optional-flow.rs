//! The handler returns `Option<Flow>`.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn check(_: &mut Message) -> Option<Flow> {
    None
}

fn main() {}
