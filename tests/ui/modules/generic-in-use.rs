//! A generic module with a hook.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter<T> {
    start: T,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter<u64>>) {
    println!("{}", cx.start);
}

fn main() {}
