//! The name is made by a macro.

use event_core::prelude::*;

#[hook(concat!("message", "/bare"))]
fn look(_: &Message) {}

fn main() {}
