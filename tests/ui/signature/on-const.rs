//! The attribute is on a constant.

use event_core::prelude::*;

#[hook("message/bare")]
const LOOK: fn(&Message) = |_| {};

fn main() {}
