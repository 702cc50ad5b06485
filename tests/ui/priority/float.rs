//! The priority is not a whole number.

use event_core::prelude::*;

#[hook("message/bare", priority = 1.5)]
fn change(_: &mut Message) {}

fn main() {}
