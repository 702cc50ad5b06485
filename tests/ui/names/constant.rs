//! The name is a constant.

use event_core::prelude::*;

const NAME: &str = "message/bare";

#[hook(NAME)]
fn look(_: &Message) {}

fn main() {}
