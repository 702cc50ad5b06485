//! The handler returns `Option<Reply>`.

use event_core::prelude::*;

#[hook("iq-get/host/urn:xmpp:ping:ping")]
fn answer(iq: &mut Iq) -> Option<Reply> {
    Some(iq.reply())
}

fn main() {}
