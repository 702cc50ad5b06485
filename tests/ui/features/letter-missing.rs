//! The feature is misspelt: a letter is missing.

use event_core::prelude::*;

#[module(features = ["jabber:iq:verion"])]
pub struct Version;

fn main() {}
