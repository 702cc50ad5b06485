//! What is fired is an event.

use event_core::prelude::*;

/// Rooms.
#[module]
pub struct Muc;

pub struct Joined;

#[hook("message/bare")]
async fn look(_: &Message, cx: &Context<Muc>) {
    cx.fire(Joined).await;
}

fn main() {}
