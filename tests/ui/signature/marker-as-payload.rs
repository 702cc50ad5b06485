//! The event's type is not its payload.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: &events::MessageBare) {}

fn main() {}
