//! The function handles the event already: once by its name, once by its type.

use event_core::prelude::*;

#[hook("iq-get/host/urn:xmpp:ping:ping")]
#[hook(events::IqGetHost, "urn:xmpp:ping:ping")]
fn answer(iq: &mut Iq) -> Reply {
    iq.reply()
}

fn main() {}
