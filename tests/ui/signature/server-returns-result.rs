//! A server event is not refused.

use event_core::prelude::*;

#[hook("server-starting")]
fn note(_: &ServerStarting) -> Result<(), StartError> {
    Ok(())
}

fn main() {}
