//! A part of the namespace is missing.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:version:query")]
fn change(_: &mut Iq) {}

fn main() {}
