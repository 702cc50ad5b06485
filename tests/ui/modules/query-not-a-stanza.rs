//! What is sent as a query is not a stanza.

use event_core::prelude::*;

/// Asks.
#[module]
pub struct Versions;

#[hook("server-started")]
async fn ask(_: &ServerStarted, cx: &Context<Versions>) {
    let _ = cx.query("<iq/>").await;
}

fn main() {}
