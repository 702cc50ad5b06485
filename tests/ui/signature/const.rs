//! The handler is `const`.

use event_core::prelude::*;

#[hook("message/bare")]
const fn look(_: &Message) {}

fn main() {}
