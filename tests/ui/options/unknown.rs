//! The option is misspelt: a letter is missing.

use event_core::prelude::*;

#[hook("message/bare", prority = 10)]
fn change(_: &mut Message) {}

fn main() {}
