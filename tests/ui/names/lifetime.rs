//! The event has its lifetime.

use event_core::prelude::*;

/// Done.
#[event("mine-done", kind = "notification")]
pub struct Done<'a>(pub &'a str);

#[hook(Done<'_>)]
fn look(_: &Done<'_>) {}

fn main() {}
