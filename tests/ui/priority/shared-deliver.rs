//! A handler at -1 takes `&`.

use event_core::prelude::*;

#[hook("presence/full", priority = -1)]
fn deliver(_: &Presence) {}

fn main() {}
