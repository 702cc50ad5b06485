//! Another stanza.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:version:query")]
fn answer(_: &mut Message) {}

fn main() {}
