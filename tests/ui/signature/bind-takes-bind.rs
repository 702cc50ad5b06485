//! The payload of its sister event.

use event_core::prelude::*;

#[hook("resource-bind")]
fn note(_: &ResourceUnbind) {}

fn main() {}
