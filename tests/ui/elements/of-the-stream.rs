//! The element is one of the stream.

use event_core::prelude::*;

#[hook("iq-set/host/urn:ietf:params:xml:ns:xmpp-sasl:auth")]
fn change(_: &mut Iq) {}

fn main() {}
