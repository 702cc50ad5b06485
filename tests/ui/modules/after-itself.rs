//! The module is `after` itself.

use event_core::prelude::*;

#[module(after = ["version"])]
pub struct Version;

fn main() {}
