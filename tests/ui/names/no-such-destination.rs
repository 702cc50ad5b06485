//! There is no such destination.

use event_core::prelude::*;

#[hook("message/room")]
fn look(_: &Message) {}

fn main() {}
