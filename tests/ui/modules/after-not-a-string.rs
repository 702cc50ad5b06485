//! `after` is not a string.

use event_core::prelude::*;

#[module(after = [Carbons])]
pub struct Version;

fn main() {}
