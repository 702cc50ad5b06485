//! The error of a nonza is a `StreamError`.

use event_core::prelude::*;

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth")]
fn answer(_: &mut Nonza) -> Result<Flow, StanzaError> {
    Ok(Flow::Handled)
}

fn main() {}
