//! The type of the payload does not exist.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn look(_: &mut Mesage) {}

fn main() {}
