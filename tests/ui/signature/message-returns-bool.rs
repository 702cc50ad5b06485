//! The handler returns `bool` instead of `Flow`.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn drop_it(_: &mut Message) -> bool {
    true
}

fn main() {}
