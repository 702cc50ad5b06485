//! The element is misspelt, which is the mistake, not `insist`.

use event_core::prelude::*;

#[hook("iq-set/host/jabber:iq:version:qurey", insist = "old clients send theirs")]
fn change(_: &mut Iq) {}

fn main() {}
