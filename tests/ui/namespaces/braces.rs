//! A constant stands in braces inside the string.

use event_core::prelude::*;

#[hook("iq-get/host/{NS}:query")]
fn change(_: &mut Iq) {}

fn main() {}
