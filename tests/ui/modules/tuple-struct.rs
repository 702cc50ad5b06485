//! The options have no names.

use event_core::prelude::*;

#[module]
pub struct Version(bool);

fn main() {}
