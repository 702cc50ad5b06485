//! The handler returns `bool` instead of `Flow`.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", kind = "chain")]
pub struct Joined;

#[hook(Joined)]
async fn check(_: &mut Joined) -> bool {
    true
}

fn main() {}
