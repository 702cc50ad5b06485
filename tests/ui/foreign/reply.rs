//! The handler returns the author's own `Reply`.

use event_core::prelude::*;

pub struct Reply;

#[hook("iq-get/host/jabber:iq:version:query")]
fn answer(_: &mut Iq) -> Result<Reply, StanzaError> {
    Ok(Reply)
}

fn main() {}
