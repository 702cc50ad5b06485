//! A module is named twice.

use event_core::prelude::*;

#[module(after = ["carbons", "carbons"])]
pub struct Archive;

fn main() {}
