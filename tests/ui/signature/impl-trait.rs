//! The payload is `impl Trait`.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: &impl std::fmt::Debug) {}

fn main() {}
