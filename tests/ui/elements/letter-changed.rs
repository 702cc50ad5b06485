//! The element is misspelt: a letter is another.

use event_core::prelude::*;

#[hook("iq-get/host/urn:xmpp:ping:pong")]
fn change(_: &mut Iq) {}

fn main() {}
