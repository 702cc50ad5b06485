//! A letter is missing in the element of a stream.

use event_core::prelude::*;

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sas:auth")]
fn answer(_: &mut Nonza) {}

fn main() {}
