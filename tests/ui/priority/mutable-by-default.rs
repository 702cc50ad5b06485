//! Without a priority a handler only looks.

use event_core::prelude::*;

#[hook("message/bare")]
fn change(_: &mut Message) {}

fn main() {}
