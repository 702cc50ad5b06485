//! A routed stanza is taken over or refused.

use event_core::prelude::*;

#[hook("route/remote")]
fn take(_: &mut Stanza) -> Result<Reply, StanzaError> {
    Err(StanzaError::not_allowed())
}

fn main() {}
