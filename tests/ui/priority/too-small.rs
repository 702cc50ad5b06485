//! It does not fit.

use event_core::prelude::*;

#[hook("message/bare", priority = -9999999999)]
fn change(_: &mut Message) {}

fn main() {}
