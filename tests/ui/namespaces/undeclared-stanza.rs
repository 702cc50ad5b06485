//! The namespace is not declared.

use event_core::prelude::*;

#[hook("stanza/urn:example:guestbook:0:hello")]
fn take(_: &mut Nonza) {}

fn main() {}
