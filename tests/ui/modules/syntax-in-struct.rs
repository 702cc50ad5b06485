//! A colon is missing inside the struct.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    start u64,
}

#[hook("message/bare")]
fn count(_: &Message, _: &Context<Counter>) {}

fn main() {}
