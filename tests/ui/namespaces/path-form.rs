//! A letter is missing in the path form.

use event_core::prelude::*;

#[hook(events::IqGetHost, "jabber:iq:verion:query")]
fn change(_: &mut Iq) {}

fn main() {}
