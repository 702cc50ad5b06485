//! The namespace is misspelt: a letter is missing.

use event_core::prelude::*;

#[hook("iq-get/host/jabber:iq:verion:query")]
fn change(_: &mut Iq) {}

fn main() {}
