//! The type of an option is not `Sync`.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    start: std::cell::Cell<u64>,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{:?}", cx.start);
}

fn main() {}
