//! The namespace is missing.

use event_core::prelude::*;

#[hook("iq-get/host/ping")]
fn change(_: &mut Iq) {}

fn main() {}
