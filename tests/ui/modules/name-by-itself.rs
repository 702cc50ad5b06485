//! The name is an option.

use event_core::prelude::*;

#[module("version")]
pub struct Version;

fn main() {}
