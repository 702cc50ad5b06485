//! A letter is missing.

use event_core::prelude::*;

#[hook("authentication-sucess")]
fn note(_: &AuthenticationSuccess) {}

fn main() {}
