//! `after` names modules as strings.

use event_core::prelude::*;

#[module(after = [Carbons])]
pub struct Version;

fn main() {}
