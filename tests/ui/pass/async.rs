//! Async handlers of every family.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


#[hook("server-started")]
async fn started(_: &ServerStarted) {}

#[hook("resource-bind")]
async fn bound(bind: &ResourceBind, _: &Context<Archive>) {
    let _ = bind.session.id();
}

#[hook("stream-features")]
async fn features(_: &mut StreamFeatures) {}

#[hook("pre-resource-unbind")]
async fn keep(_: &mut PreResourceUnbind) -> Flow {
    Flow::Handled
}

#[hook("pre-message/bare")]
async fn check(_: &mut Message, _: &Context<Archive>) -> Result<Flow, StanzaError> {
    Ok(Flow::Continue)
}

#[hook("message/bare", priority = 1000)]
async fn filter(_: &mut Message) -> Flow {
    Flow::Continue
}

#[hook("message/bare")]
async fn observe(message: &Message, cx: &Context<Archive>) {
    std::future::ready(()).await;
    let _ = (message, cx.host());
}

#[hook("presence/full", priority = -1)]
async fn deliver(_: &mut Presence) -> Result<(), StanzaError> {
    Ok(())
}

#[hook("presence/initial")]
async fn greet(_: &Presence) {}

#[hook("iq-get/bare/urn:xmpp:ping:ping")]
async fn answer(iq: &mut Iq, _: &Context<Archive>) -> Result<Reply, StanzaError> {
    std::future::ready(()).await;
    Ok(iq.reply())
}

#[hook("iq-result/host/probe-1")]
async fn consume(_: &Iq) -> Flow {
    Flow::Handled
}

#[hook("route/remote")]
async fn route(_: &mut Stanza) -> Flow {
    Flow::Handled
}

#[hook("stanza/iq/urn:ietf:params:xml:ns:xmpp-bind:bind")]
async fn bind(iq: &mut Iq) -> Reply {
    iq.reply()
}

#[hook("stanza/message")]
async fn unbound(_: &mut Message) {}

#[hook("stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth")]
async fn authenticate(_: &mut Nonza) -> Result<Flow, StreamError> {
    Err(StreamError::not_authorized())
}

#[hook("component-authenticated")]
async fn component(_: &ComponentAuthenticated) {}

fn main() {}
