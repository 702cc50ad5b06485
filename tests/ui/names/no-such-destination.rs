//! The destination does not exist.

use event_core::prelude::*;

#[hook("message/room")]
fn look(_: &Message) {}

fn main() {}
