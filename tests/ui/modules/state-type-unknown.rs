//! The type of the state does not exist.

use event_core::prelude::*;

/// Counts.
#[module(state = Sen)]
pub struct Counter;

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.state().0);
}

fn main() {}
