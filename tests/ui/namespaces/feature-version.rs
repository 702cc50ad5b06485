//! The feature is known with another version.

use event_core::prelude::*;

#[module(features = ["jabber:iq:version", "urn:xmpp:carbons:7"])]
pub struct Version;

fn main() {}
