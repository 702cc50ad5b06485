//! Options are the fields of a struct.

use event_core::prelude::*;

#[module]
pub enum Version {}

fn main() {}
