//! The function that makes the default does not exist.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    #[serde(default = "five")]
    start: u64,
}

fn main() {}
