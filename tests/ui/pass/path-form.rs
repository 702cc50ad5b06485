//! Events named by their types.

use event_core::prelude::*;

use event_core::events::{IqGetHost, IqResultBare};

#[hook(events::MessageBare)]
fn look(_: &Message) {}

#[hook(event_core::events::MessageBare, priority = 10)]
fn change(_: &mut Message) {}

#[hook(IqGetHost, "urn:xmpp:ping:ping", priority = 1)]
async fn answer(iq: &mut Iq) -> Reply {
    iq.reply()
}

#[hook(IqResultBare, "probe-1")]
fn consume(_: &Iq) -> Flow {
    Flow::Handled
}

#[hook(ServerStarted)]
fn started(_: &ServerStarted) {}

fn main() {}
