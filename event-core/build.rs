//! Empty: it exists because `links` needs one, and `links` makes cargo refuse two versions.
fn main() {}
