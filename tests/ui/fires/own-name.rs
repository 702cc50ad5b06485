//! An own event by its name instead of its type.

use event_core::prelude::*;

#[event("signup-done", kind = "notification")]
pub struct Done;

#[module(fires = ["signup-done"])]
pub struct Signup;

fn main() {}
