//! A handler always gets its payload.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: Option<&Message>) {}

fn main() {}
