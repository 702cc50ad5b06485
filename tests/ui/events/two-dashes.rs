//! The name has two dashes in a row.

use event_core::prelude::*;

#[event("mine--done", kind = "notification")]
pub struct Done;

fn main() {}
