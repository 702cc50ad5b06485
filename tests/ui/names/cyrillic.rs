//! A letter is Cyrillic.

use event_core::prelude::*;

#[hook("mеssage/bare")]
fn look(_: &Message) {}

fn main() {}
