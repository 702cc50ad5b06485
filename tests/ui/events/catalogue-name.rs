//! The name is that of a catalogue event.

use event_core::prelude::*;

#[event("message/bare", kind = "notification")]
pub struct Joined;

fn main() {}
