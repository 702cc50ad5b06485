//! Handlers that seldom wait.

use event_core::prelude::*;

use event_core::NowOrLater;

/// Keeps.
#[module]
pub struct Archive;

#[hook("message/bare", priority = 10)]
fn deliver(_: &mut Message) -> NowOrLater<Message, Flow> {
    NowOrLater::later(|message: &mut Message| {
        Box::pin(async { if message.is_error() { Flow::Handled } else { Flow::Continue } })
    })
}

#[hook("iq-get/host/urn:xmpp:ping:ping")]
fn answer(iq: &mut Iq, cx: &Context<Archive>) -> NowOrLater<Iq, Result<Reply, StanzaError>> {
    let cx = cx.clone();
    match iq.from() {
        Some(_) => NowOrLater::Now(Ok(iq.reply())),
        None => NowOrLater::later(move |iq: &mut Iq| {
            Box::pin(async move {
                println!("{}", cx.host().name());
                Ok(iq.reply())
            })
        }),
    }
}

/// Somebody joined.
#[event("room-joined", kind = "chain")]
pub struct Joined;

#[hook(Joined)]
fn join(_: &mut Joined, _: &Context<Archive>) -> NowOrLater<Joined, Result<Flow, StanzaError>> {
    NowOrLater::Now(Ok(Flow::Handled))
}

fn main() {}
