//! An argument is a word alone.

use event_core::prelude::*;

/// Counts.
#[module("counter")]
pub struct Counter {
    start: u64,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.start);
}

fn main() {}
