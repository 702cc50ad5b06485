//! The element is missing.

use event_core::prelude::*;

#[hook("stanza/iq")]
fn change(_: &mut Iq) {}

fn main() {}
