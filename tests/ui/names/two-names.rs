//! One attribute has two names.

use event_core::prelude::*;

#[hook("message/bare", "message/full")]
fn look(_: &Message) {}

fn main() {}
