//! The element is in lower case.

use event_core::prelude::*;

#[hook("iq-get/bare/vcard-temp:vcard")]
fn change(_: &mut Iq) {}

fn main() {}
