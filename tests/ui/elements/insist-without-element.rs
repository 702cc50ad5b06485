//! The event has no element to insist on.

use event_core::prelude::*;

#[hook("message/bare", insist = "it is mine")]
fn look(_: &Message) {}

fn main() {}
