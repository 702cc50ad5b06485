//! One adds to what is collected.

use event_core::prelude::*;

#[hook("stream-features")]
fn add(_: &StreamFeatures) {}

fn main() {}
