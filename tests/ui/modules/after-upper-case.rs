//! `after` names modules as the configuration does.

use event_core::prelude::*;

#[module(after = ["Carbons"])]
pub struct Version;

fn main() {}
