//! The async handler takes the `Message` of `xmpp_parsers`.

use event_core::prelude::*;

#[hook("message/bare", priority = 10)]
async fn change(message: &mut event_core::xmpp_parsers::message::Message) -> Flow {
    message.id = None;
    Flow::Continue
}

fn main() {}
