//! A letter of the element is Cyrillic.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:version:quеry")]
fn change(_: &mut Iq) {}

fn main() {}
