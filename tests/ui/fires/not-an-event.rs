//! A type that is not an event.

use event_core::prelude::*;

/// `#[event]` is missing.
pub struct Done;

#[module(fires = [Done])]
pub struct Signup;

fn main() {}
