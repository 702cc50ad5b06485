//! The option is set with `:` instead of `=`.

use event_core::prelude::*;

#[hook("message/bare", priority: 10)]
fn change(_: &mut Message) {}

fn main() {}
