//! A handler has a body.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: &Message);

fn main() {}
