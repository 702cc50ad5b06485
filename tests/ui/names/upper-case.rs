//! The name has upper-case letters.

use event_core::prelude::*;

#[hook("Message/Bare")]
fn look(_: &Message) {}

fn main() {}
