//! A name is a string, not bytes.

use event_core::prelude::*;

#[hook(b"message/bare")]
fn look(_: &Message) {}

fn main() {}
