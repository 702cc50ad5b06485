//! The feature has a space.

use event_core::prelude::*;

#[module(features = ["urn:x y"])]
pub struct Version;

fn main() {}
