//! One function, one event.

use event_core::prelude::*;

#[hook("message/bare")]
fn look<T: Default>(_: &Message) {
    T::default();
}

fn main() {}
