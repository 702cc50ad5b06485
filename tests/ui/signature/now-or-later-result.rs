//! `NowOrLater` has a result that the event does not take.

use event_core::prelude::*;

use event_core::NowOrLater;

#[hook("message/bare", priority = 10)]
fn deliver(_: &mut Message) -> NowOrLater<Message, bool> {
    NowOrLater::Now(true)
}

fn main() {}
