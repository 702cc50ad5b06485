//! Options are owned.

use event_core::prelude::*;

#[module]
pub struct Version<'a> {
    os: &'a str,
}

fn main() {}
