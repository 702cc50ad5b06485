//! An option is read from the configuration.

use event_core::prelude::*;

#[module]
pub struct Version {
    os: Os,
}

pub struct Os;

fn main() {}
