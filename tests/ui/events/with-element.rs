//! A declared event has no element.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", kind = "notification")]
pub struct Joined;

#[hook(Joined, "jabber:x:oob:x")]
fn note(_: &Joined) {}

fn main() {}
