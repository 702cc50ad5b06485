//! A space before the name.

use event_core::prelude::*;

#[hook(" message/bare")]
fn look(_: &Message) {}

fn main() {}
