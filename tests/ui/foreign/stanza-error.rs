//! The error is the `StanzaError` of `xmpp_parsers`.

use event_core::{prelude::*, xmpp_parsers::stanza_error::StanzaError};

#[hook("message/bare", priority = 10)]
fn change(_: &mut Message) -> Result<Flow, StanzaError> {
    Ok(Flow::Continue)
}

fn main() {}
