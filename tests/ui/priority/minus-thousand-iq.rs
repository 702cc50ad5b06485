//! Nothing runs below -1.

use event_core::prelude::*;

#[hook("iq/self", priority = -1000)]
fn change(_: &mut Iq) {}

fn main() {}
