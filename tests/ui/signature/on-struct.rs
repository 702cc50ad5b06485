//! A struct is not a handler.

use event_core::prelude::*;

#[hook("message/bare")]
struct Look;

fn main() {}
