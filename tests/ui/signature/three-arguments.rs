//! The handler takes three arguments.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
fn look(_: &Message, _: &Context<Archive>, _: &Host) {}

fn main() {}
