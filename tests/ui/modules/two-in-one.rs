//! One Rust module has two module structs.

use event_core::prelude::*;

#[module]
pub struct Version;

#[module]
pub struct Uptime;

fn main() {}
