//! The type behind the future counts.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
async fn drop_it(_: &mut Message) -> bool {
    true
}

fn main() {}
