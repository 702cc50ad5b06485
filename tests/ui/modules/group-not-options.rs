//! A group of options is not declared as one.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    #[serde(flatten)]
    limits: Limits,
}

pub struct Limits {
    most: u64,
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.limits.most);
}

fn main() {}
