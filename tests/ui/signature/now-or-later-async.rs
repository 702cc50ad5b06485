//! An `async fn` returns `NowOrLater`.

use event_core::prelude::*;

use event_core::NowOrLater;

#[hook("message/bare", priority = 10)]
async fn deliver(_: &mut Message) -> NowOrLater<Message, Flow> {
    NowOrLater::Now(Flow::Handled)
}

fn main() {}
