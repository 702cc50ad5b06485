//! The element is a child of an iq.

use event_core::prelude::*;

#[hook("stanza/urn:xmpp:ping:ping")]
fn take(_: &mut Nonza) {}

fn main() {}
