//! A handler is safe to call.

use event_core::prelude::*;

#[hook("message/bare")]
unsafe fn look(_: &Message) {}

fn main() {}
