//! The type has an event's name but is none.

use event_core::prelude::*;

#[hook(mine::MessageBare)]
fn look(_: &Message) {}

mod mine {
    pub struct MessageBare;
}

fn main() {}
