//! A handler at 0 returns a `Result`.

use event_core::prelude::*;

#[hook("message/bare", priority = 0)]
fn stop(_: &Message) -> Result<(), StanzaError> {
    Err(StanzaError::forbidden())
}

fn main() {}
