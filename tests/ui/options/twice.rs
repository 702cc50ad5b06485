//! The option is given twice.

use event_core::prelude::*;

#[hook("message/bare", priority = 10, priority = 20)]
fn change(_: &mut Message) {}

fn main() {}
