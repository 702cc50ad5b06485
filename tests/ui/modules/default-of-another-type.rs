//! The default has another type than the option.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    #[option(default = true)]
    start: u64,
}

fn main() {}
