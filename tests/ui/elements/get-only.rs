//! The element is only seen in an iq of type `get`.

use event_core::prelude::*;

#[hook("iq-set/host/jabber:iq:version:query")]
fn change(_: &mut Iq) {}

fn main() {}
