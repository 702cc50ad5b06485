//! The namespace is missing.

use event_core::prelude::*;

#[hook("iq-get/host/:query")]
fn change(_: &mut Iq) {}

fn main() {}
