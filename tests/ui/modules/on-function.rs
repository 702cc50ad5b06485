//! The attribute is on a function.

use event_core::prelude::*;

#[module]
fn count(_: &Message) {}

fn main() {}
