//! The handler of a message returns an answer.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
fn answer(message: &mut Message) -> Reply {
    message.reply()
}

fn main() {}
