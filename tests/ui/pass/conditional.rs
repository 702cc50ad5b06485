//! Hooks behind `cfg`.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


#[cfg(any())]
#[hook("no/such/event")]
fn never() {}

#[cfg(all())]
#[hook("message/bare")]
fn always(_: &Message) {}

#[cfg_attr(all(), hook("message/full"))]
fn sometimes(_: &Message, _: &Context<Archive>) {}

#[hook("message/host")]
#[cfg(not(any()))]
fn after(_: &Message) {}

fn main() {}
