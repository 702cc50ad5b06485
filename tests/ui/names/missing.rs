//! The name is missing.

use event_core::prelude::*;

#[hook(priority = 10)]
fn change(_: &mut Message) {}

fn main() {}
