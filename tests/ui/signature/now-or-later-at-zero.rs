//! An observer returns `NowOrLater`.

use event_core::{NowOrLater, prelude::*};

#[hook("message/bare")]
fn look(_: &Message) -> NowOrLater<Message, ()> {
    NowOrLater::Now(())
}

fn main() {}
