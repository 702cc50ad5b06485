//! The name has `-` instead of `_`.

use event_core::prelude::*;

#[module(name = "software-version")]
pub struct Version;

fn main() {}
