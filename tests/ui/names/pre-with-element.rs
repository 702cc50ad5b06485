//! Pre-routing events have no element.

use event_core::prelude::*;

#[hook("pre-iq/bare/jabber:iq:version:query")]
fn check(_: &mut Iq) {}

fn main() {}
