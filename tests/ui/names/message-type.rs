//! Only groupchat messages have an event by type.

use event_core::prelude::*;

#[hook("message/bare/chat")]
fn look(_: &Message) {}

fn main() {}
