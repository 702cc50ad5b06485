//! The Spondee server with its bundled modules.
fn main() {}
