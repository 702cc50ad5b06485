//! The name has two slashes in a row.

use event_core::prelude::*;

#[hook("message//bare")]
fn look(_: &Message) {}

fn main() {}
