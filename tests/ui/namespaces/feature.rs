//! A letter is missing in a feature.

use event_core::prelude::*;

#[module(features = ["jabber:iq:verion"])]
pub struct Version;

fn main() {}
