//! The event is written with its lifetime.

use event_core::prelude::*;

#[event("signup-greeted", kind = "notification")]
pub struct Greeted<'a>(&'a str);

#[module(fires = [Greeted<'_>])]
pub struct Signup;

fn main() {}
