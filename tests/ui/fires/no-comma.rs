//! The comma between two events is missing.

use event_core::prelude::*;

#[module(fires = [events::UserRegistering events::UserRegistered])]
pub struct Signup;

fn main() {}
