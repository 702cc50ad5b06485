//! There is no such type.

use event_core::prelude::*;

#[hook(events::MesageBare)]
fn look(_: &Message) {}

fn main() {}
