//! Only an iq is answered.

use event_core::prelude::*;

#[hook("pre-message/bare")]
fn check(message: &mut Message) -> Option<Reply> {
    Some(message.reply())
}

fn main() {}
