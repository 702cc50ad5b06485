//! The case of `rename_all` does not exist.

use event_core::prelude::*;

/// Counts.
#[module]
#[serde(rename_all = "kebabcase")]
pub struct Counter {
    start_at: u64,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.start_at);
}

fn main() {}
