//! The priority is a boolean.

use event_core::prelude::*;

#[hook("message/bare", priority = true)]
fn change(_: &mut Message) {}

fn main() {}
