//! The type has the name of an event and is none.

use event_core::prelude::*;

#[hook(mine::MessageBare)]
fn look(_: &Message) {}

mod mine {
    pub struct MessageBare;
}

fn main() {}
