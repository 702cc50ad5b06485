//! `after` is a list.

use event_core::prelude::*;

#[module(after = "carbons")]
pub struct Version;

fn main() {}
