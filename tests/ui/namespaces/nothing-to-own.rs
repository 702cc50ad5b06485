//! The event has no namespace.

use event_core::prelude::*;

#[hook("message/bare", namespace = "own")]
fn look(_: &Message) {}

fn main() {}
