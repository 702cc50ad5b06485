//! The payload ends with the event.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(_: &'static Message) {}

fn main() {}
