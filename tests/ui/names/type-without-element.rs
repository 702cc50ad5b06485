//! The element is missing after the event's type.

use event_core::prelude::*;

#[hook(events::IqGetHost)]
fn change(_: &mut Iq) {}

fn main() {}
