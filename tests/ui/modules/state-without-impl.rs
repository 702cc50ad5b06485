//! The state does not implement `ModuleState`.

use event_core::prelude::*;

/// Counts.
#[module(state = Seen)]
pub struct Counter;
pub struct Seen(u64);

#[hook("message/bare")]
async fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.state().0);
}

fn main() {}
