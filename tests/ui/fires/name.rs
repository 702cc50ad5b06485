//! An event by its name instead of its type.

use event_core::prelude::*;

#[module(fires = ["user-registered"])]
pub struct Signup;

fn main() {}
