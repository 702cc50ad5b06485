//! The attribute is on an `impl`.

use event_core::prelude::*;

pub struct Archive;

#[hook("message/bare")]
impl Archive {}

fn main() {}
