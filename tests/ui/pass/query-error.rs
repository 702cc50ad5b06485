//! `?` on the answer to a query.

use event_core::prelude::*;

/// Asks.
#[module]
pub struct Probe;

#[hook("iq-get/host/urn:xmpp:ping:ping")]
async fn answer(iq: &mut Iq, cx: &Context<Probe>) -> Result<Reply, StanzaError> {
    let ping = ElementBuilder::new("ping", "urn:xmpp:ping").build();
    let ask = ElementBuilder::new("iq", STANZA_NS).attribute("type", "get").child(&ping).build();
    cx.query(ask).await?;
    Ok(iq.reply())
}

fn main() {}
