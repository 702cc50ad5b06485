//! The option has no name.

use event_core::prelude::*;

#[hook("message/bare", 10)]
fn change(_: &mut Message) {}

fn main() {}
