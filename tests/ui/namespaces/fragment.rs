//! The namespace is misspelt: a letter is missing after the `#`.

use event_core::prelude::*;

#[hook("iq-get/host/http://jabber.org/protocol/disco#inf:query")]
fn change(_: &mut Iq) {}

fn main() {}
