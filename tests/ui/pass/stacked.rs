//! One function for several events.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


#[hook("message/bare", priority = 5)]
#[hook("message/full", priority = 5)]
#[hook(events::MessageHost, priority = 7)]
fn change(_: &mut Message, _: &Context<Archive>) -> Flow {
    Flow::Continue
}

#[hook("iq-get/bare/urn:xmpp:ping:ping")]
#[hook("iq-get/host/urn:xmpp:ping:ping")]
/// Between them a comment.
#[hook("iq-get/self/urn:xmpp:ping:ping")]
async fn answer(iq: &mut Iq) -> Reply {
    iq.reply()
}

fn main() {}
