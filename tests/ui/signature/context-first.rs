//! The context comes before the payload.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
fn look(_: &Context<Archive>, _: &Message) {}

fn main() {}
