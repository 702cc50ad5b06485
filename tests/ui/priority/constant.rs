//! A literal, so that the range is known.

use event_core::prelude::*;

#[hook("message/bare", priority = FIRST)]
fn change(_: &mut Message) {}

const FIRST: i32 = 10;

fn main() {}
