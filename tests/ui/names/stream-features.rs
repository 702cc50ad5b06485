//! A letter is missing.

use event_core::prelude::*;

#[hook("stream-feature")]
fn add(_: &mut StreamFeatures) {}

fn main() {}
