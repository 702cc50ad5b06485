//! The name is misspelt: two letters are swapped.

use event_core::prelude::*;

#[hook("per-message/bare")]
fn check(_: &mut Message) {}

fn main() {}
