//! All handlers of a collect event run.

use event_core::prelude::*;

#[hook("stream-features")]
fn add(_: &mut StreamFeatures) -> Flow {
    Flow::Continue
}

fn main() {}
