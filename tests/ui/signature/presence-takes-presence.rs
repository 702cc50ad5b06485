//! Another stanza.

use event_core::prelude::*;

#[hook("presence/bare")]
fn look(_: &Message) {}

fn main() {}
