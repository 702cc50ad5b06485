//! The payload is missing.

use event_core::prelude::*;

#[hook("message/bare")]
fn look() {}

fn main() {}
