//! The node before `+notify` is misspelt.

use event_core::prelude::*;

#[module(features = ["urn:xmpp:bookmark:1+notify"])]
pub struct Version;

fn main() {}
