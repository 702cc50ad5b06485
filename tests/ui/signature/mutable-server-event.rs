//! A server event can only be looked at.

use event_core::prelude::*;

#[hook("server-started")]
fn note(_: &mut ServerStarted) {}

fn main() {}
