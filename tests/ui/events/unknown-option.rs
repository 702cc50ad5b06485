//! A letter is missing.

use event_core::prelude::*;

#[event("room-joined", knd = "chain")]
pub struct Joined;

fn main() {}
