//! The module is generic.

use event_core::prelude::*;

#[module]
pub struct Version<T> {
    os: T,
}

fn main() {}
