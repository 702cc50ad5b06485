//! The name has upper-case letters.

use event_core::prelude::*;

#[module(name = "Version")]
pub struct Version;

fn main() {}
