//! The function handles the event already.

use event_core::prelude::*;

#[hook("message/bare")]
#[hook("message/bare")]
fn look(_: &Message) {}

fn main() {}
