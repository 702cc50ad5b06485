//! One function, one event.

use event_core::prelude::*;

#[hook("message/bare")]
fn look<const N: usize>(_: &Message) {}

fn main() {}
