//! The string has a suffix.

use event_core::prelude::*;

#[hook("message/bare"x)]
fn look(_: &Message) {}

fn main() {}
