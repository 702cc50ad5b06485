//! A crate is a path.

use event_core::prelude::*;

#[hook("message/bare", crate = "event_core")]
fn look(_: &Message) {}

fn main() {}
