//! The element is misspelt: a letter is missing.

use event_core::prelude::*;

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-tls:starttl")]
fn take(_: &mut Nonza) {}

fn main() {}
