//! The function handles the event already, at the same priority.

use event_core::prelude::*;

#[hook(events::MessageBare, priority = 5)]
#[hook("message/full", priority = 5)]
#[event_core::hook(events::MessageBare, priority = 5)]
fn change(_: &mut Message) {}

fn main() {}
