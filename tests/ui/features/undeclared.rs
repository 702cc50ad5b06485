//! The feature is not declared.

use event_core::prelude::*;

#[module(features = ["urn:example:guestbook:0"])]
pub struct Version;

fn main() {}
