//! Nothing stops a notification.

use event_core::prelude::*;

#[hook("resource-bind")]
fn note(_: &ResourceBind) -> Flow {
    Flow::Handled
}

fn main() {}
