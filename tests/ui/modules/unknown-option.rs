//! The option is misspelt: a letter is missing.

use event_core::prelude::*;

#[module(feature = ["jabber:iq:version"])]
pub struct Version;

fn main() {}
