//! The only value of `namespace` is `"own"`.

use event_core::prelude::*;

#[hook("message/bare", namespace = "mine")]
fn look(_: &Message) {}

fn main() {}
