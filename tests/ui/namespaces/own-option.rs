//! Own namespaces are declared once for the crate.

use event_core::prelude::*;

#[hook("iq-get/host/urn:example:a:query", namespace = "own")]
fn change(_: &mut Iq) {}

fn main() {}
