//! The handler takes the `Iq` of `xmpp_parsers`.

use event_core::{prelude::*, xmpp_parsers::iq::Iq};

#[hook("iq-get/host/jabber:iq:version:query")]
async fn answer(_: &mut Iq) -> Result<Reply, StanzaError> {
    Err(StanzaError::forbidden())
}

fn main() {}
