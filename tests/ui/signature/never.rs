//! The handler never returns.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: &Message) -> ! {
    loop {}
}

fn main() {}
