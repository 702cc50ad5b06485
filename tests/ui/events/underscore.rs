//! The name has `_` instead of `-`.

use event_core::prelude::*;

#[event("room_joined", kind = "notification")]
pub struct Joined;

fn main() {}
