//! The crate declares another namespace.

use event_core::prelude::*;

event_core::module_crate!(namespaces = ["urn:example:guestbook:0"]);

#[hook("iq-get/host/urn:example:gestbook:0:query")]
fn change(_: &mut Iq) {}

fn main() {}
