//! Namespace and element are swapped.

use event_core::prelude::*;

#[hook("iq-get/host/ping:urn:xmpp:ping")]
fn change(_: &mut Iq) {}

fn main() {}
