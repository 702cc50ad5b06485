//! This event has no element.

use event_core::prelude::*;

#[hook(events::MessageBare, "jabber:x:oob:x")]
fn look(_: &Message) {}

fn main() {}
