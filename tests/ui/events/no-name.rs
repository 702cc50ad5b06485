//! The name is missing.

use event_core::prelude::*;

#[event(kind = "notification")]
pub struct Joined;

fn main() {}
