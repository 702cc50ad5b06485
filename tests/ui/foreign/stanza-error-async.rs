//! The error of the async handler is the `StanzaError` of `xmpp_parsers`.

use event_core::{prelude::*, xmpp_parsers::stanza_error::StanzaError};

#[hook("message/bare", priority = 10)]
async fn change(_: &mut Message) -> Result<(), StanzaError> {
    Ok(())
}

fn main() {}
