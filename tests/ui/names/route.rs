//! Two letters are swapped.

use event_core::prelude::*;

#[hook("route/remtoe")]
fn take(_: &mut Stanza) {}

fn main() {}
