//! One letter is missing in an event with an id.

use event_core::prelude::*;

#[hook("iq-eror/host/probe-1")]
fn consume(_: &Iq) {}

fn main() {}
