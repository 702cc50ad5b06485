//! A letter is missing, and it does not become an element.

use event_core::prelude::*;

#[hook("stanza/mesage")]
fn take(_: &mut Message) {}

fn main() {}
