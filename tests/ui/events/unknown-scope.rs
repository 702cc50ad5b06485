//! The scope does not exist.

use event_core::prelude::*;

#[event("room-joined", kind = "chain", scope = "room")]
pub struct Joined;

fn main() {}
