//! There are two defaults.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    #[option(default = 5)]
    #[serde(default)]
    start: u64,
}

fn main() {}
