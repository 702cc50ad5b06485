//! A zero-width space stands in the namespace.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:​version:query")]
fn change(_: &mut Iq) {}

fn main() {}
