//! The element of the request stands in place of the id.

use event_core::prelude::*;

#[hook("iq-result/host/urn:xmpp:ping:ping")]
fn consume(_: &Iq) {}

fn main() {}
