//! The error of an iq is a `StanzaError`.

use event_core::prelude::*;

#[hook("stanza/iq/urn:ietf:params:xml:ns:xmpp-bind:bind")]
fn bind(_: &mut Iq) -> Result<Reply, StreamError> {
    Err(StreamError::not_authorized())
}

fn main() {}
