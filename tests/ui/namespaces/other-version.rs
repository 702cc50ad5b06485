//! The version is unknown.

use event_core::prelude::*;

#[hook("iq-set/bare/urn:xmpp:carbons:7:enable")]
fn change(_: &mut Iq) {}

fn main() {}
