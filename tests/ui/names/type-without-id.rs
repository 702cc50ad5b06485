//! The path form needs the id too.

use event_core::prelude::*;

#[hook(events::IqErrorBare)]
fn consume(_: &Iq) {}

fn main() {}
