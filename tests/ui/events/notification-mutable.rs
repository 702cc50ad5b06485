//! The handler of a notification takes `&mut`.

use event_core::prelude::*;

/// Somebody joined.
#[event("room-joined", kind = "notification")]
pub struct Joined;

#[hook(Joined)]
fn note(_: &mut Joined) {}

fn main() {}
