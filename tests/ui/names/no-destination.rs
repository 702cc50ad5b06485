//! A message event has a destination.

use event_core::prelude::*;

#[hook("message")]
fn look(_: &Message) {}

fn main() {}
