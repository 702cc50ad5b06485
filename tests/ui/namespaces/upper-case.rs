//! Namespaces are compared letter by letter.

use event_core::prelude::*;

#[hook("iq-get/host/urn:XMPP:ping:ping")]
fn change(_: &mut Iq) {}

fn main() {}
