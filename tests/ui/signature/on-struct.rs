//! The attribute is on a struct.

use event_core::prelude::*;

#[hook("message/bare")]
struct Look;

fn main() {}
