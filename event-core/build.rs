//! Does nothing. Cargo requires a build script for the key `links`, and refuses two versions of a crate
//! with that key in one build.
fn main() {}
