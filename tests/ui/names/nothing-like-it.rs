//! No event is near.

use event_core::prelude::*;

#[hook("room-joined")]
fn look(_: &Message) {}

fn main() {}
