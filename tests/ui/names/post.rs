//! Routed stanzas have no prefix.

use event_core::prelude::*;

#[hook("post-message/bare")]
fn look(_: &Message) {}

fn main() {}
