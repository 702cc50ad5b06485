//! One slash too many.

use event_core::prelude::*;

#[hook("message//bare")]
fn look(_: &Message) {}

fn main() {}
