//! The element is a child of a message.

use event_core::prelude::*;

#[hook("iq-get/bare/urn:xmpp:receipts:request")]
fn change(_: &mut Iq) {}

fn main() {}
