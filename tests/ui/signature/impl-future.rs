//! An async handler is an `async fn`.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: &Message) -> impl Future<Output = ()> {
    async {}
}

fn main() {}
