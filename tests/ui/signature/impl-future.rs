//! The handler returns a future instead of being `async`.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: &Message) -> impl Future<Output = ()> {
    async {}
}

fn main() {}
