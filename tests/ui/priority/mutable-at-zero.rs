//! A handler at 0 takes `&mut`.

use event_core::prelude::*;

#[hook("message/bare", priority = 0)]
fn change(_: &mut Message) {}

fn main() {}
