//! One letter is another.

use event_core::prelude::*;

#[hook("presense/full")]
fn look(_: &Presence) {}

fn main() {}
