//! The error is the `StreamError` of `xmpp_parsers`.

use event_core::{prelude::*, xmpp_parsers::stream_error::StreamError};

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth")]
fn authenticate(_: &mut Nonza) -> Result<Flow, StreamError> {
    Ok(Flow::Handled)
}

fn main() {}
