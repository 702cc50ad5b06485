//! A slash at the end.

use event_core::prelude::*;

#[hook("presence/bare/")]
fn look(_: &Presence) {}

fn main() {}
