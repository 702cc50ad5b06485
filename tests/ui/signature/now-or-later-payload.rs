//! `NowOrLater` names another payload.

use event_core::prelude::*;

use event_core::NowOrLater;

#[hook("message/bare", priority = 10)]
fn deliver(_: &mut Message) -> NowOrLater<Presence, Flow> {
    NowOrLater::Now(Flow::Handled)
}

fn main() {}
