//! The name ends with a dash.

use event_core::prelude::*;

#[event("mine-", kind = "notification")]
pub struct Mine;

fn main() {}
