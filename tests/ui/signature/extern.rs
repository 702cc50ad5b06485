//! A handler is a Rust function.

use event_core::prelude::*;

#[hook("message/bare")]
extern "C" fn look(_: &Message) {}

fn main() {}
