//! The reason is empty.

use event_core::prelude::*;

#[hook("iq-set/host/jabber:iq:version:query", insist = "")]
fn change(_: &mut Iq) {}

fn main() {}
