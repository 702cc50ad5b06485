//! A version is not the name of an element.

use event_core::prelude::*;

#[hook("iq-set/bare/urn:example:things:2")]
fn change(_: &mut Iq) {}

fn main() {}
