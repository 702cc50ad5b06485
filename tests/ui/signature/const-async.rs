//! The handler is `const` and `async`.

use event_core::prelude::*;

#[hook("message/bare")]
const async fn look(_: &Message) {}

fn main() {}
