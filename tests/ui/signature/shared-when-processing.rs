//! A handler at 1 to 999 takes `&`.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn change(_: &Message) {}

fn main() {}
