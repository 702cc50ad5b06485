//! The name is wrong; the event is hooked and fired.

use event_core::prelude::*;

/// Somebody joined.
#[event("room_joined", kind = "notification")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &Joined) {}

#[hook("server-started")]
async fn fire(_: &ServerStarted, cx: &Context<Rooms>) {
    cx.fire(Joined).await;
}

/// Keeps.
#[module]
pub struct Rooms;

fn main() {}
