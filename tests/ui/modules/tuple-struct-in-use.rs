//! The options have no names; the module has a hook.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter(u64);

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.0);
}

fn main() {}
