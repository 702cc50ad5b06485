//! The element is only seen in an iq of type `set`.

use event_core::prelude::*;

#[hook("iq-get/self/urn:xmpp:carbons:2:enable")]
fn change(_: &mut Iq) {}

fn main() {}
