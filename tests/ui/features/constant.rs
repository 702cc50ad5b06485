//! The value of the constant is misspelt.

use event_core::prelude::*;

const NS: &str = "jabber:iq:verion";

#[module(features = [NS])]
pub struct Version;

fn main() {}
