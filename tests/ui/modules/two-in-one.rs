//! A Rust module holds one module.

use event_core::prelude::*;

#[module]
pub struct Version;

#[module]
pub struct Uptime;

fn main() {}
