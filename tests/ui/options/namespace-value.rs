//! A namespace is known or one's own.

use event_core::prelude::*;

#[hook("message/bare", namespace = "mine")]
fn look(_: &Message) {}

fn main() {}
