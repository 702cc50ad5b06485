//! An iq to a full JID has one event, without an element.

use event_core::prelude::*;

#[hook("iq-get/full/jabber:iq:version:query")]
fn change(_: &mut Iq) {}

fn main() {}
