//! The element is misspelt: two letters are swapped.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:version:qurey")]
fn change(_: &mut Iq) {}

fn main() {}
