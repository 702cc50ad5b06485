//! A result is never answered.

use event_core::prelude::*;

#[hook("iq-result/bare/probe-1")]
fn consume(_: &Iq) -> Result<Flow, StanzaError> {
    Ok(Flow::Handled)
}

fn main() {}
