//! The namespace has dashes for its colons.

use event_core::prelude::*;

#[hook("iq-get/host/urn-xmpp-ping:ping")]
fn change(_: &mut Iq) {}

fn main() {}
