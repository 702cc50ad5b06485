//! A key of serde's is misspelled.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    #[serde(renam = "from")]
    start: u64,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.start);
}

fn main() {}
