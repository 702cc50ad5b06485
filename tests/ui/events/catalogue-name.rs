//! The name is taken.

use event_core::prelude::*;

#[event("message/bare", kind = "notification")]
pub struct Joined;

fn main() {}
