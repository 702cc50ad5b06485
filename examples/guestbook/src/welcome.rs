//! Greets every client that comes online.

use event_core::{jid::Jid, prelude::*};

/// Greets every client that comes online.
#[module(after = ["presence"], fires = [Greeted])]
#[derive(Debug)]
pub struct Welcome {
    /// The text of the greeting.
    #[option(default = "Welcome!")]
    text: String,
}

/// A client has been greeted.
#[event("welcome-greeted", kind = "notification")]
#[derive(Debug)]
pub struct Greeted<'a> {
    /// The client's address.
    pub guest: &'a Jid,
}

#[hook("presence/initial")]
async fn greet(presence: &Presence, cx: &Context<Welcome>) {
    let Some(guest) = presence.from() else { return };
    let body = ElementBuilder::new("body", STANZA_NS).text(&cx.text).build();
    let message =
        ElementBuilder::new("message", STANZA_NS).attribute("to", guest.as_str()).child(&body);
    cx.send(message.build());
    cx.fire(Greeted { guest }).await;
}
