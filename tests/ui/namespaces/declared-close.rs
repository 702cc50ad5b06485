//! A declared namespace is one edit from a known one.

use event_core::prelude::*;

event_core::module_crate!(namespaces = ["urn:xmpp:pingg"]);

#[hook("iq-get/host/jabber:iq:version:query")]
fn change(_: &mut Iq) {}

fn main() {}
