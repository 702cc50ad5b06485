//! A constant is not a handler.

use event_core::prelude::*;

#[hook("message/bare")]
const LOOK: fn(&Message) = |_| {};

fn main() {}
