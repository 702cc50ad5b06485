//! The option belongs to `#[module]`.

use event_core::prelude::*;

#[hook("message/bare", after = ["carbons"])]
fn look(_: &Message) {}

fn main() {}
