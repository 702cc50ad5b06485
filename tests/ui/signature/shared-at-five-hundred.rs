//! The handler takes `&Message` at priority 500.

use event_core::prelude::*;

#[hook("message/bare", priority = 500)]
fn look(_: &Message) {}

fn main() {}
