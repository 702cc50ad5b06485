//! The destination is misspelt: two letters are swapped.

use event_core::prelude::*;

#[hook("message/baer")]
fn look(_: &Message) {}

fn main() {}
