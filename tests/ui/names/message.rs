//! A letter is missing.

use event_core::prelude::*;

#[hook("mesage/bare")]
fn look(_: &Message) {}

fn main() {}
