//! The handler of a veto returns a `Result`.

use event_core::prelude::*;

#[hook("pre-resource-unbind")]
fn keep(_: &mut PreResourceUnbind) -> Result<Flow, StanzaError> {
    Ok(Flow::Handled)
}

fn main() {}
