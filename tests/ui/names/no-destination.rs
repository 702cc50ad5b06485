//! The destination is missing before the element.

use event_core::prelude::*;

#[hook("iq-get/urn:xmpp:ping:ping")]
fn change(_: &mut Iq) {}

fn main() {}
