//! The context is that of a task.

use std::task::Context;

use event_core::{Message, hook};

#[hook("message/bare")]
fn look(_: &Message, cx: &Context<'_>) {
    cx.waker().wake_by_ref();
}

fn main() {}
