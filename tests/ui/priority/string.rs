//! The priority is a string.

use event_core::prelude::*;

#[hook("message/bare", priority = "10")]
fn change(_: &mut Message) {}

fn main() {}
