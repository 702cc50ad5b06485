//! A name is lower case.

use event_core::prelude::*;

#[module(name = "Version")]
pub struct Version;

fn main() {}
