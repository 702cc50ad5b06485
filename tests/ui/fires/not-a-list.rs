//! One event without brackets.

use event_core::prelude::*;

#[module(fires = events::UserRegistered)]
pub struct Signup;

fn main() {}
