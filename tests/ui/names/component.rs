//! The event is `component-authenticated`.

use event_core::prelude::*;

#[hook("component-authenticatd")]
fn note(_: &ComponentAuthenticated) {}

fn main() {}
