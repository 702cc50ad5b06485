//! An error is made and not returned.

#![deny(unused_must_use)]

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn check(_: &mut Message) {
    StanzaError::not_acceptable();
}

fn main() {}
