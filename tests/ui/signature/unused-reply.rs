//! An answer is made and not sent.

#![deny(unused_must_use)]

use event_core::prelude::*;

#[hook("iq-get/host/urn:xmpp:ping:ping")]
fn answer(iq: &mut Iq) {
    iq.reply();
}

fn main() {}
