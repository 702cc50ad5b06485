//! No option is near.

use event_core::prelude::*;

#[hook("message/bare", colour = "red")]
fn look(_: &Message) {}

fn main() {}
