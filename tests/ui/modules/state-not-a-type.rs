//! The state is not a type.

use event_core::prelude::*;

#[module(state = "Seen")]
pub struct Version;

fn main() {}
