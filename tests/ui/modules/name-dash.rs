//! A name has `_`, not `-`.

use event_core::prelude::*;

#[module(name = "software-version")]
pub struct Version;

fn main() {}
