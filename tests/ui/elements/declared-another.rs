//! The crate declares another element.

use event_core::prelude::*;

event_core::module_crate!(elements = ["vcard-temp:X-PHOTO"]);

#[hook("iq-get/bare/vcard-temp:X-FOTO")]
fn change(_: &mut Iq) {}

fn main() {}
