//! `xmlns=` stands before the namespace.

use event_core::prelude::*;

#[hook("iq-get/host/xmlns=jabber:iq:version:query")]
fn change(_: &mut Iq) {}

fn main() {}
