//! An event is listed twice.

use event_core::prelude::*;

#[module(fires = [events::UserRegistered, events::UserRegistered])]
pub struct Signup;

fn main() {}
