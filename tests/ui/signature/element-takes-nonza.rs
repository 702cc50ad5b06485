//! Another payload.

use event_core::prelude::*;

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth")]
fn answer(_: &mut Element) {}

fn main() {}
