//! Pre-routing events are not divided by type.

use event_core::prelude::*;

#[hook("pre-iq-get/host/jabber:iq:version:query")]
fn change(_: &mut Iq) {}

fn main() {}
