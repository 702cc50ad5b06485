//! The destination is in the plural.

use event_core::prelude::*;

#[hook("iq-get/hosts/urn:xmpp:ping:ping")]
fn change(_: &mut Iq) {}

fn main() {}
