//! Two attributes on one struct.

use event_core::prelude::*;

/// Counts.
#[module]
#[module(name = "counts")]
pub struct Counter {
    start: u64,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.start);
}

fn main() {}
