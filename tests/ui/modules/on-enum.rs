//! The module is an enum.

use event_core::prelude::*;

#[module]
pub enum Version {}

fn main() {}
