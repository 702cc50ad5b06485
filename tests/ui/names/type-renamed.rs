//! The type is renamed to the name of another event.

use event_core::prelude::*;

#[hook(mine::MessageFull)]
fn look(_: &Message) {}

mod mine {
    pub use event_core::events::MessageBare as MessageFull;
}

fn main() {}
