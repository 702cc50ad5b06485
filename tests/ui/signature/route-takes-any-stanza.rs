//! The handler takes one kind of stanza where the event has any.

use event_core::prelude::*;

#[hook("route/remote")]
fn take(_: &mut Message) {}

fn main() {}
