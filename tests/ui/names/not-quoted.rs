//! The name is not quoted.

use event_core::prelude::*;

#[hook(message/bare)]
fn look(_: &Message) {}

fn main() {}
