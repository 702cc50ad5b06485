//! One attribute, one event.

use event_core::prelude::*;

#[hook("message/bare", "message/full")]
fn look(_: &Message) {}

fn main() {}
