//! The handler returns an error without a `Result`.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn check(_: &mut Message) -> StanzaError {
    StanzaError::not_acceptable()
}

fn main() {}
