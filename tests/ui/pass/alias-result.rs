//! An author's own `Result` alias.

use event_core::prelude::*;

type Result<T = Flow, E = StanzaError> = std::result::Result<T, E>;
type Answer = Result<Reply>;

#[hook("message/bare", priority = 10)]
fn change(_: &mut Message) -> Result {
    Ok(Flow::Continue)
}

#[hook("iq-get/host/jabber:iq:version:query")]
fn answer(iq: &mut Iq) -> Answer {
    Ok(iq.reply())
}

#[hook("iq-set/host/jabber:iq:private:query")]
async fn refuse(_: &mut Iq) -> Result<(), StanzaError> {
    Err(StanzaError::not_allowed())
}

fn main() {}
