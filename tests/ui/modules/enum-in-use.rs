//! The module is an enum and has a hook.

use event_core::prelude::*;

/// Counts.
#[module]
pub enum Counter {
    Messages,
}

#[hook("message/bare")]
fn count(_: &Message, _: &Context<Counter>) {}

fn main() {}
