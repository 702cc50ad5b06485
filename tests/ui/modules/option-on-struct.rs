//! `#[option]` is on the struct.

use event_core::prelude::*;

/// Counts.
#[module]
#[option(default = 5)]
pub struct Counter {
    start: u64,
}

fn main() {}
