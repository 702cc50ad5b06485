//! An async handler takes another stanza.

use event_core::prelude::*;

#[hook("presence/bare")]
async fn look(_: &Message) {}

fn main() {}
