//! A handler without a priority takes `&mut`.

use event_core::prelude::*;

#[hook("message/bare")]
fn change(_: &mut Message) {}

fn main() {}
