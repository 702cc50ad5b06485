//! A handler is called like any function.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


#[hook("iq-get/host/urn:xmpp:ping:ping", priority = 10)]
fn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {
    Ok(iq.reply())
}

#[hook("message/bare", priority = 10)]
async fn change(_: &mut Message, _: &Context<Archive>) -> Flow {
    Flow::Continue
}

fn call(iq: &mut Iq) -> bool {
    let again: fn(&mut Iq) -> Result<Reply, StanzaError> = answer;
    answer(iq).is_ok() && again(iq).is_ok()
}

async fn call_later(message: &mut Message, cx: &Context<Archive>) -> Flow {
    change(message, cx).await
}

fn main() {
    let _ = (call, call_later);
}
