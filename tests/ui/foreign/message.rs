//! The handler takes the `Message` of `xmpp_parsers`.

use event_core::{prelude::*, xmpp_parsers::message::Message};

#[hook("message/bare")]
fn look(message: &Message) {
    println!("{:?}", message.id);
}

fn main() {}
