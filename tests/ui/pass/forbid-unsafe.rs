//! A crate that forbids unsafe code.

#![forbid(unsafe_code)]

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


/// Kept.
#[event("kept", kind = "collect")]
pub struct Kept<'a>(pub &'a str);

#[hook("message/bare")]
fn look(_: &Message, _: &Context<Archive>) {}

#[hook(Kept)]
async fn kept(_: &mut Kept<'_>) {}

fn main() {}
