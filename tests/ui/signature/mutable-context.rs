//! A context is shared.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
fn look(_: &Message, _: &mut Context<Archive>) {}

fn main() {}
