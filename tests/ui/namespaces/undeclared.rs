//! The namespace is not declared.

use event_core::prelude::*;

#[hook("iq-get/host/urn:example:guestbook:0:query")]
fn change(_: &mut Iq) {}

fn main() {}
