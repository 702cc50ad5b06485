//! An element in an iq of the type in which no specification has it.

use event_core::prelude::*;

#[hook("iq-set/host/jabber:iq:version:query", insist = "old clients send their version")]
fn take(iq: &mut Iq) -> Reply {
    iq.reply()
}

#[hook(events::IqSetBare, "urn:xmpp:ping:ping", insist = "a test of clients", priority = 3)]
fn pong(iq: &mut Iq) -> Reply {
    iq.reply()
}

fn main() {}
