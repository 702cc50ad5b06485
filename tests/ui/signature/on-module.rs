//! A Rust module is not a handler.

use event_core::prelude::*;

#[hook("message/bare")]
mod look {}

fn main() {}
