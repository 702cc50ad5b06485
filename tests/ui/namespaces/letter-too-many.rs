//! The namespace is misspelt: a letter is added.

use event_core::prelude::*;

#[hook("iq-set/bare/jabber:iq:rosster:query")]
fn change(_: &mut Iq) {}

fn main() {}
