//! The function makes a default of another type.

use event_core::prelude::*;

/// Counts.
#[module]
pub struct Counter {
    /// From where.
    #[serde(default = "five")]
    start: u64,
}

fn five() -> u32 {
    5
}

fn main() {}
