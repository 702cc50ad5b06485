//! The handler of an iq takes `&`.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:version:query")]
fn answer(_: &Iq) {}

fn main() {}
