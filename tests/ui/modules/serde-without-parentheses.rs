//! The attribute has no parentheses.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    #[serde = "default"]
    start: u64,
}

fn main() {}
