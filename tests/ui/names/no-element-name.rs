//! The element name is missing.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:version")]
fn change(_: &mut Iq) {}

fn main() {}
