//! The payload holds the session.

use event_core::prelude::*;

#[hook("authentication-success")]
fn note(_: &Session) {}

fn main() {}
