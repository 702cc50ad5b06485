//! The kind is misspelt: two letters are swapped.

use event_core::prelude::*;

#[event("room-joined", kind = "notifciation")]
pub struct Joined;

fn main() {}
