//! `NowOrLater` has no types.

use event_core::prelude::*;

use event_core::NowOrLater;

#[hook("message/bare", priority = 10)]
fn deliver(_: &mut Message) -> NowOrLater {
    NowOrLater::Now(Flow::Handled)
}

fn main() {}
