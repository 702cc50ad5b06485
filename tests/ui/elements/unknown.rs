//! The namespace has no such element.

use event_core::prelude::*;

#[hook("iq-set/self/urn:xmpp:blocking:forget")]
fn change(_: &mut Iq) {}

fn main() {}
