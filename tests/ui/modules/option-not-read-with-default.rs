//! The type of an option with a default cannot be read.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    #[serde(default)]
    start: Start,
}
#[derive(Default, Debug)]
pub struct Start;

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{:?}", cx.start);
}

fn main() {}
