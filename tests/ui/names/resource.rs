//! Two letters are swapped.

use event_core::prelude::*;

#[hook("resource-bnid")]
fn note(_: &ResourceBind) {}

fn main() {}
