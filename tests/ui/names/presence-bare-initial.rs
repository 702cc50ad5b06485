//! The event has no destination.

use event_core::prelude::*;

#[hook("presence/bare/initial")]
fn look(_: &Presence) {}

fn main() {}
