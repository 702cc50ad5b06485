//! A declared element needs no `insist`.

use event_core::prelude::*;

event_core::module_crate!(elements = ["jabber:iq:version:os-family"]);

#[hook("iq-set/host/jabber:iq:version:os-family", insist = "ours")]
fn change(_: &mut Iq) {}

fn main() {}
