//! A macro's variable stands inside the string.

use event_core::prelude::*;

#[hook("iq-get/host/$ns:query")]
fn change(_: &mut Iq) {}

fn main() {}
