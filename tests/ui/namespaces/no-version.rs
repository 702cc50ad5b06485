//! The version is missing.

use event_core::prelude::*;

#[hook("iq-set/bare/urn:xmpp:carbons:enable")]
fn change(_: &mut Iq) {}

fn main() {}
