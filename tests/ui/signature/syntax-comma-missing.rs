//! A comma is missing between the arguments.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare")]
fn look(_: &Message _cx: &Context<Archive>) {}

fn main() {}
