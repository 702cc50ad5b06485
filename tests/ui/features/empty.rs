//! The feature is empty.

use event_core::prelude::*;

#[module(features = [""])]
pub struct Version;

fn main() {}
