//! The element is missing.

use event_core::prelude::*;

#[hook("iq-get/host")]
fn change(_: &mut Iq) {}

fn main() {}
