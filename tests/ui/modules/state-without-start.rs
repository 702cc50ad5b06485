//! A state has a `start`.

use event_core::prelude::*;

#[module(state = Seen)]
pub struct Version;

pub struct Seen;

fn main() {}
