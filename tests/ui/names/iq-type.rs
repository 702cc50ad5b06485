//! An iq has four types; this is none of them.

use event_core::prelude::*;

#[hook("iq-put/host/jabber:iq:version:query")]
fn change(_: &mut Iq) {}

fn main() {}
