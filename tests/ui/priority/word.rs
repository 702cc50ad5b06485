//! The priority is a word.

use event_core::prelude::*;

#[hook("message/bare", priority = high)]
fn change(_: &mut Message) {}

fn main() {}
