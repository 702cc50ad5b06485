//! A name has letters.

use event_core::prelude::*;

#[hook("")]
fn look(_: &Message) {}

fn main() {}
