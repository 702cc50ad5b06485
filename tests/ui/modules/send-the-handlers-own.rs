//! The stanza that the handler takes is not one that a module can send.

use event_core::prelude::*;

/// Sends.
#[module]
pub struct Copies;

#[hook("message/bare", priority = 5)]
fn copy(message: &mut Message, cx: &Context<Copies>) {
    cx.send(message.clone());
}

fn main() {}
