//! The path form needs the element too.

use event_core::prelude::*;

#[hook(events::IqGetHost)]
fn change(_: &mut Iq) {}

fn main() {}
