//! The second argument is the context.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: &Message, _: &Host) {}

fn main() {}
