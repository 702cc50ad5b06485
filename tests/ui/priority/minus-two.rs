//! The priority is below -1.

use event_core::prelude::*;

#[hook("message/bare", priority = -2)]
fn change(_: &mut Message) {}

fn main() {}
