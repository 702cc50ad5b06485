//! A letter too many.

use event_core::prelude::*;

#[hook("iq-set/bare/jabber:iq:rosster:query")]
fn change(_: &mut Iq) {}

fn main() {}
