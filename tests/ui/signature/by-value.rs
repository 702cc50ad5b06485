//! The handler takes its payload by value.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: Message) {}

fn main() {}
