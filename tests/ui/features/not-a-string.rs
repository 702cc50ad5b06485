//! The feature is a number.

use event_core::prelude::*;

#[module(features = [5])]
pub struct Version;

fn main() {}
