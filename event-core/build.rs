//! Empty. The key `links`, which makes cargo refuse two versions, requires a build script.
fn main() {}
