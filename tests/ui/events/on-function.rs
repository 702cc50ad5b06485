//! An event is its payload.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
fn joined() {}

fn main() {}
