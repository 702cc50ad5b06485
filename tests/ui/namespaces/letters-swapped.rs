//! The namespace is misspelt: two letters are swapped.

use event_core::prelude::*;

#[hook("iq-get/bare/urn:xmpp:pnig:ping")]
fn change(_: &mut Iq) {}

fn main() {}
