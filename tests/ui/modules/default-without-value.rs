//! `default` has no value.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    #[option(default)]
    start: u64,
}

fn main() {}
