//! The feature is given twice.

use event_core::prelude::*;

#[module(features = ["jabber:iq:version", "jabber:iq:version"])]
pub struct Version;

fn main() {}
