//! An option of `#[module]`, not of `#[hook]`.

use event_core::prelude::*;

#[hook("message/bare", after = ["carbons"])]
fn look(_: &Message) {}

fn main() {}
