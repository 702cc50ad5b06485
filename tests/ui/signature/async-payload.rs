//! Another stanza, in an async handler.

use event_core::prelude::*;

#[hook("presence/bare")]
async fn look(_: &Message) {}

fn main() {}
