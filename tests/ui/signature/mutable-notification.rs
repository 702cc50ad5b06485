//! The handler of a notification takes `&mut`.

use event_core::prelude::*;

#[hook("resource-bind")]
fn note(_: &mut ResourceBind) {}

fn main() {}
