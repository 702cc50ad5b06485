//! A notification can only be looked at.

use event_core::prelude::*;

#[hook("resource-bind")]
fn note(_: &mut ResourceBind) {}

fn main() {}
