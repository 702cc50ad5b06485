//! The handler is generic.

use event_core::prelude::*;

#[hook("message/bare")]
fn look<T: Default>(_: &Message) {
    T::default();
}

fn main() {}
