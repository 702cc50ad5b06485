//! The element is seen in an iq of this type.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:version:query", insist = "clients ask")]
fn change(_: &mut Iq) {}

fn main() {}
