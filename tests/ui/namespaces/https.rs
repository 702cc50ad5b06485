//! The namespace begins with `http:`.

use event_core::prelude::*;

#[hook("iq-get/host/https://jabber.org/protocol/disco#info:query")]
fn change(_: &mut Iq) {}

fn main() {}
