//! The handler of an iq returns an error without a `Result`.

use event_core::prelude::*;

#[hook("iq-get/host/urn:xmpp:ping:ping")]
async fn answer(_: &mut Iq) -> StanzaError {
    StanzaError::not_allowed()
}

fn main() {}
