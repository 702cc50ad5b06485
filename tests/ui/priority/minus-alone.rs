//! A minus without a number.

use event_core::prelude::*;

#[hook("message/bare", priority = -)]
fn change(_: &mut Message) {}

fn main() {}
