//! Features are a list.

use event_core::prelude::*;

#[module(features = "jabber:iq:version")]
pub struct Version;

fn main() {}
