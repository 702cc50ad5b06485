//! The namespace is a feature without elements.

use event_core::prelude::*;

#[hook("iq-get/host/http://jabber.org/protocol/disco:query")]
fn change(_: &mut Iq) {}

fn main() {}
