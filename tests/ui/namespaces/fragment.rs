//! A letter is missing behind the `#`.

use event_core::prelude::*;

#[hook("iq-get/host/http://jabber.org/protocol/disco#inf:query")]
fn change(_: &mut Iq) {}

fn main() {}
