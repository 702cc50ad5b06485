//! The handler returns a boxed future.

use event_core::prelude::*;

use std::pin::Pin;

#[hook("message/bare", priority = 10)]
fn check(_: &mut Message) -> Pin<Box<dyn Future<Output = Flow> + Send>> {
    Box::pin(async { Flow::Handled })
}

fn main() {}
