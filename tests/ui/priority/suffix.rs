//! The number has another type.

use event_core::prelude::*;

#[hook("message/bare", priority = 10u8)]
fn change(_: &mut Message) {}

fn main() {}
