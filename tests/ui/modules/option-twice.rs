//! An option is given once.

use event_core::prelude::*;

#[module(name = "version", name = "versions")]
pub struct Version;

fn main() {}
