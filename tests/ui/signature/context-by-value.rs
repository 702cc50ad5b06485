//! The handler takes its context by value.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
fn look(_: &Message, _: Context<Archive>) {}

fn main() {}
