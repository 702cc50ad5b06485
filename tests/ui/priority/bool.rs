//! A number, not a truth.

use event_core::prelude::*;

#[hook("message/bare", priority = true)]
fn change(_: &mut Message) {}

fn main() {}
