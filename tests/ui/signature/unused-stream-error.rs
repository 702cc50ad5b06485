//! A stream error is made and not returned.

#![deny(unused_must_use)]

use event_core::prelude::*;

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth")]
fn check(_: &mut Nonza) {
    StreamError::not_authorized();
}

fn main() {}
