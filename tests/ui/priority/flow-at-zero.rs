//! A handler at 0 returns `Flow`.

use event_core::prelude::*;

#[hook("iq/full", priority = 0)]
fn stop(_: &Iq) -> Flow {
    Flow::Handled
}

fn main() {}
