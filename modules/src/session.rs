//! Session establishment of old (RFC 3921 §3), which does nothing any more.
use event_core::prelude::*;

const NS: &str = "urn:ietf:params:xml:ns:xmpp-session";

/// Humours clients that still ask for a session.
#[module(name = "session", after = ["bind"])]
pub struct LegacySession;

#[hook("stream-features")]
fn offer(event: &mut StreamFeatures) {
    if event.session.user().is_some() && event.session.jid().is_none() {
        let optional = ElementBuilder::new("optional", NS).build();
        event.features.push(ElementBuilder::new("session", NS).child(&optional).build());
    }
}

/// Some clients ask the host, others their account, by its address or without `to`.
#[hook("iq-set/host/urn:ietf:params:xml:ns:xmpp-session:session")]
#[hook("iq-set/self/urn:ietf:params:xml:ns:xmpp-session:session")]
fn establish(iq: &mut Iq) -> Reply {
    iq.reply()
}
