//! The type in the context is not in scope.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
fn look(_: &Message, cx: &Context<Archiv>) {}

fn main() {}
