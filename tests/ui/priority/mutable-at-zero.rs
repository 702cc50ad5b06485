//! At 0 a handler only looks.

use event_core::prelude::*;

#[hook("message/bare", priority = 0)]
fn change(_: &mut Message) {}

fn main() {}
