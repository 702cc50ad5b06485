//! An answer is a `Reply`.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:version:query")]
fn answer(iq: &mut Iq) -> Element {
    iq.reply().element().clone()
}

fn main() {}
