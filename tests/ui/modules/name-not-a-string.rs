//! A name is a string.

use event_core::prelude::*;

#[module(name = version)]
pub struct Version;

fn main() {}
