//! A letter is missing.

use event_core::prelude::*;

#[hook("server-startd")]
fn note(_: &ServerStarted) {}

fn main() {}
