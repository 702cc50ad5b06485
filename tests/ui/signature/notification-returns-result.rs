//! The handler of a notification returns a `Result`.

use event_core::prelude::*;

#[hook("resource-bind")]
fn look(_: &ResourceBind) -> Result<(), StanzaError> {
    Ok(())
}

fn main() {}
