//! The event is named with its lifetime.

use event_core::prelude::*;

#[event("room-joined", kind = "notification")]
pub struct Joined<'a>(pub &'a str);

#[hook(Joined<'_>)]
fn note(_: &Joined<'_>) {}

fn main() {}
