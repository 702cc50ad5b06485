//! The element begins with a letter that is in no name of XML 1.0's fourth edition.

use event_core::prelude::*;

#[hook("iq-get/host/urn:example:x:ĳsje")]
fn answer(_: &mut Iq) {}

fn main() {}
