//! The name is in the plural.

use event_core::prelude::*;

#[hook("messages/bare")]
fn look(_: &Message) {}

fn main() {}
