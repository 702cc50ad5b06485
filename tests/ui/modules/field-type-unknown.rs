//! The type of an option does not exist.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    start: Number,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.start);
}

fn main() {}
