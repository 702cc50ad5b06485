//! The priority is below -1.

use event_core::prelude::*;

#[hook("presence/full", priority = -5)]
fn change(_: &mut Presence) {}

fn main() {}
