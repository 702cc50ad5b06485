//! The handler is `unsafe`.

use event_core::prelude::*;

#[hook("message/bare")]
unsafe fn look(_: &Message) {}

fn main() {}
