//! Options are the fields of a struct.

use event_core::prelude::*;

#[module]
fn version() {}

fn main() {}
