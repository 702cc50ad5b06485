//! The condition of an argument is met, and there are three.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
fn look(_: &Message, _: &Context<Archive>, #[cfg(all())] _: u8) {}

fn main() {}
