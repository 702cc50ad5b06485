//! The items of an option cannot be read.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// Since when.
    since: Vec<std::time::Instant>,
}

fn main() {}
