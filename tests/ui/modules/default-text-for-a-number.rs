//! The default is a text, the option a number.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    #[option(default = "five")]
    start: u64,
}

fn main() {}
