//! The payload in `NowOrLater` is not that of the event.

use event_core::{NowOrLater, prelude::*};

#[hook("message/bare", priority = 10)]
fn change(_: &mut Message) -> NowOrLater<Presence, Flow> {
    NowOrLater::Now(Flow::Continue)
}

fn main() {}
