//! The handler is `extern`.

use event_core::prelude::*;

#[hook("message/bare")]
extern "C" fn look(_: &Message) {}

fn main() {}
