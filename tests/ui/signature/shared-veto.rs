//! A veto takes `&mut`.

use event_core::prelude::*;

#[hook("pre-resource-unbind")]
fn keep(_: &PreResourceUnbind) {}

fn main() {}
