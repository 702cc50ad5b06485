//! Legacy session establishment (RFC 3921 §3), which has no effect.

use event_core::prelude::*;

const NS: &str = "urn:ietf:params:xml:ns:xmpp-session";

/// Accepts the session requests of old clients.
#[module(name = "session", after = ["bind"])]
pub struct LegacySession;

#[hook("stream-features")]
fn offer(event: &mut StreamFeatures) {
    if event.session.user().is_some() && event.session.jid().is_none() {
        let optional = ElementBuilder::new("optional", NS).build();
        event.features.push(ElementBuilder::new("session", NS).child(&optional).build());
    }
}

/// Clients send the request to the host, to their account's address, or without `to`.
#[hook("iq-set/host/urn:ietf:params:xml:ns:xmpp-session:session")]
#[hook("iq-set/self/urn:ietf:params:xml:ns:xmpp-session:session")]
fn establish(iq: &mut Iq) -> Reply {
    iq.reply()
}
