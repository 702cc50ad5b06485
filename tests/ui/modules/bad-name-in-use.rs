//! The name is misspelled; the module has a hook.

use event_core::prelude::*;

/// Counts.
#[module(name = "my counter")]
pub struct Counter {
    start: u64,
}

#[hook("message/bare")]
async fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.start);
}

fn main() {}
