//! Only iq events have an element.

use event_core::prelude::*;

#[hook("message/bare/jabber:x:oob:x")]
fn look(_: &Message) {}

fn main() {}
