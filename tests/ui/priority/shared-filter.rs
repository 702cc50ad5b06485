//! A filter takes `&mut`.

use event_core::prelude::*;

#[hook("message/bare", priority = 1000)]
fn filter(_: &Message) {}

fn main() {}
