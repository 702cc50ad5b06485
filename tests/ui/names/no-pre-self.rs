//! Self-addressed stanzas have no pre-routing event.

use event_core::prelude::*;

#[hook("pre-message/self")]
fn check(_: &mut Message) {}

fn main() {}
