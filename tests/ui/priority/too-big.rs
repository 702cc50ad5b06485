//! The priority does not fit into an `i32`.

use event_core::prelude::*;

#[hook("message/bare", priority = 9999999999)]
fn change(_: &mut Message) {}

fn main() {}
