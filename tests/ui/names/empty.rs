//! The name is empty.

use event_core::prelude::*;

#[hook("")]
fn look(_: &Message) {}

fn main() {}
