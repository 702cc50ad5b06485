//! No event has a similar name.

use event_core::prelude::*;

#[hook("room-joined")]
fn look(_: &Message) {}

fn main() {}
