//! The error of an iq is a `StanzaError`.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:version:query")]
fn answer(iq: &mut Iq) -> Result<Reply, String> {
    Ok(iq.reply())
}

fn main() {}
