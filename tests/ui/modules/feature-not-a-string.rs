//! The feature is not a string.

use event_core::prelude::*;

#[module(features = [jabber_iq_version])]
pub struct Version;

fn main() {}
