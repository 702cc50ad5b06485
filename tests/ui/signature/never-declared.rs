//! The handler of a declared event never returns.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
pub struct Joined;

#[hook(Joined)]
fn look(_: &Joined) -> ! {
    loop {}
}

fn main() {}
