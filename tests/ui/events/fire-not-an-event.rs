//! What is fired is not an event.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Rooms;

#[hook("server-started")]
async fn fire(_: &ServerStarted, cx: &Context<Rooms>) {
    cx.fire(String::new()).await;
}

fn main() {}
