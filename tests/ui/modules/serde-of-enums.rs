//! A key of serde's that is for enums.

use event_core::prelude::*;

/// Counts.
#[module]
#[serde(untagged)]
pub struct Counter {
    start: u64,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.start);
}

fn main() {}
