//! The handler takes the `Presence` of `xmpp_parsers`, and the context.

use event_core::{prelude::*, xmpp_parsers::presence::Presence};

/// Keeps.
#[module]
pub struct Archive;

#[hook("presence/full", priority = -1)]
fn deliver(_: &mut Presence, _: &Context<Archive>) -> Result<Flow, StanzaError> {
    Ok(Flow::Handled)
}

fn main() {}
