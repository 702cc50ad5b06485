//! The context holds the options.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
fn look(_: &Message, _: &Archive) {}

fn main() {}
