//! The type of the event is misspelt.

use event_core::prelude::*;

#[module(fires = [events::UserRegisterd])]
pub struct Signup;

fn main() {}
