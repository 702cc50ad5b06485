//! The type of an option cannot be read.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// Since when.
    since: std::time::Instant,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{:?}", cx.since);
}

fn main() {}
