//! The id is missing.

use event_core::prelude::*;

#[hook("iq-result/bare")]
fn consume(_: &Iq) {}

fn main() {}
