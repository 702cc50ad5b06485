//! One letter is another.

use event_core::prelude::*;

#[hook("ig/host")]
fn look(_: &Iq) {}

fn main() {}
