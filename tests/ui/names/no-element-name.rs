//! The namespace is there, the name of the element is not.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:version")]
fn change(_: &mut Iq) {}

fn main() {}
