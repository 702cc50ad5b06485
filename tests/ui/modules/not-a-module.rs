//! The struct lacks its `#[module]`.

use event_core::prelude::*;

#[module]
pub struct Version;

#[hook("message/bare")]
fn look(_: &Message, _: &Context<Archive>) {}

pub struct Archive;

fn main() {}
