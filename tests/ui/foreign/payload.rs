//! The handler takes the author's own type with the name of the event's.

use event_core::prelude::*;

/// Somebody bound a resource.
#[event("room-bind", kind = "notification")]
pub struct ResourceBind;

#[hook("resource-bind")]
fn note(_: &ResourceBind) {}

fn main() {}
