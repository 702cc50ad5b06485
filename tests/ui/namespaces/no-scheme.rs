//! The scheme is missing.

use event_core::prelude::*;

#[hook("iq-get/host/jabber.org/protocol/disco#info:query")]
fn change(_: &mut Iq) {}

fn main() {}
