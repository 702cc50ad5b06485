//! A payload behind an alias.

use event_core::prelude::*;

type Chat = Message;
type Borrowed<'a> = &'a mut Chat;

#[hook("message/bare")]
fn look(_: &Chat) {}

#[hook("message/bare", priority = 10)]
fn change(_: Borrowed<'_>) -> Flow {
    Flow::Continue
}

#[hook("message/full", priority = 10)]
async fn change_later(_: Borrowed<'_>) {}

fn main() {}
