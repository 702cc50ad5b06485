//! The namespace after the event's type is misspelt: a letter is missing.

use event_core::prelude::*;

#[hook(events::IqGetHost, "jabber:iq:verion:query")]
fn change(_: &mut Iq) {}

fn main() {}
