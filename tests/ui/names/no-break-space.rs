//! A no-break space stands after the name.

use event_core::prelude::*;

#[hook("message/bare ")]
fn look(_: &Message) {}

fn main() {}
