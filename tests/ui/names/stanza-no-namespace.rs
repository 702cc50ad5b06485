//! The namespace is missing.

use event_core::prelude::*;

#[hook("stanza/starttls")]
fn take(_: &mut Nonza) {}

fn main() {}
