//! `default` is misspelled.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    #[option(defualt = 5)]
    start: u64,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.start);
}

fn main() {}
