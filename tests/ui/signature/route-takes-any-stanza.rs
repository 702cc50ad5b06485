//! One kind of stanza where any may come.

use event_core::prelude::*;

#[hook("route/remote")]
fn take(_: &mut Message) {}

fn main() {}
