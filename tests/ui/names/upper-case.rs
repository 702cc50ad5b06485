//! Names are lower case.

use event_core::prelude::*;

#[hook("Message/Bare")]
fn look(_: &Message) {}

fn main() {}
