//! The attribute is on a function.

use event_core::prelude::*;

#[event("room-joined", kind = "chain")]
fn join() {}

fn main() {}
