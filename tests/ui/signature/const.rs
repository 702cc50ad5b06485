//! A handler runs, it is not computed.

use event_core::prelude::*;

#[hook("message/bare")]
const fn look(_: &Message) {}

fn main() {}
