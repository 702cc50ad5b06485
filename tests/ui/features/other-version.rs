//! The version in the feature is unknown.

use event_core::prelude::*;

#[module(features = ["jabber:iq:version", "urn:xmpp:carbons:7"])]
pub struct Version;

fn main() {}
