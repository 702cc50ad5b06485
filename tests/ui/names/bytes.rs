//! The name is a byte string.

use event_core::prelude::*;

#[hook(b"message/bare")]
fn look(_: &Message) {}

fn main() {}
