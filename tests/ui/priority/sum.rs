//! One literal, not an expression.

use event_core::prelude::*;

#[hook("message/bare", priority = 10 + 1)]
fn change(_: &mut Message) {}

fn main() {}
