//! Processing takes `&mut`.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn change(_: &Message) {}

fn main() {}
