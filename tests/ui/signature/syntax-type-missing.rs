//! The payload has no type.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(message) {}

fn main() {}
