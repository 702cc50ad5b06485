//! The namespace is misspelt: a letter is added at its end.

use event_core::prelude::*;

#[hook("iq-get/host/http://jabber.org/protocol/disco#infos:query")]
fn change(_: &mut Iq) {}

fn main() {}
