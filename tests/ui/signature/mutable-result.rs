//! A result can only be looked at.

use event_core::prelude::*;

#[hook("iq-result/bare/probe-1")]
fn consume(_: &mut Iq) {}

fn main() {}
