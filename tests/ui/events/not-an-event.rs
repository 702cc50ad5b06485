//! The struct lacks its `#[event]`.

use event_core::prelude::*;

pub struct Joined;

#[hook(Joined)]
fn note(_: &Joined) {}

fn main() {}
