//! Pre-routing events give `&mut`.

use event_core::prelude::*;

#[hook("pre-message/bare")]
fn check(_: &Message) {}

fn main() {}
