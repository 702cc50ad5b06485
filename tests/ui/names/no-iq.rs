//! The type of the iq has no `iq-` before it.

use event_core::prelude::*;

#[hook("get/host/jabber:iq:version:query")]
fn change(_: &mut Iq) {}

fn main() {}
