//! The payload's type is named.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: &impl std::fmt::Debug) {}

fn main() {}
