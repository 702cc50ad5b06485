//! The type does not exist.

use event_core::prelude::*;

#[hook(events::MesageBare)]
fn look(_: &Message) {}

fn main() {}
