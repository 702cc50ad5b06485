//! There are two scopes.

use event_core::prelude::*;

#[event("room-joined", kind = "chain", scope = "room")]
pub struct Joined;

fn main() {}
