//! The name is misspelt: a letter is missing.

use event_core::prelude::*;

#[hook("presence/intial")]
fn note(_: &Presence) {}

fn main() {}
