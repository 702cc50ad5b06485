//! The kind is missing.

use event_core::prelude::*;

#[event("room-joined")]
pub struct Joined;

fn main() {}
