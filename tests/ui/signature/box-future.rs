//! The handler returns a `BoxFuture`.

use event_core::prelude::*;

use event_core::BoxFuture;

#[hook("message/bare")]
fn look(_: &Message) -> BoxFuture<'_, ()> {
    Box::pin(async {})
}

fn main() {}
