//! The element stands only inside another element.

use event_core::prelude::*;

#[hook("iq-set/self/urn:xmpp:blocking:item")]
fn change(_: &mut Iq) {}

fn main() {}
