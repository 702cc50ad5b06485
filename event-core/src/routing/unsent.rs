//! What becomes of stanzas that were queued for a stream and not sent before the stream ended.

use jid::Jid;
use xmpp_xml::Element;

use crate::{
    host::host::Host,
    protocol::{
        origin::Origin,
        stanza::{Stanza, StanzaKind},
        stanza_error::StanzaError,
    },
    routing::{server_core::Core, stanza_events::TypedStanza},
    session::session::Session,
};

impl Core {
    /// Returns one stanza: see [`Turn::return_unsent`](crate::Turn::return_unsent). The session has
    /// ended, so that a message takes the way of a message to a client that is gone (RFC 6121
    /// §8.5).
    pub(crate) async fn return_unsent(
        &self,
        session: &Session,
        element: Element,
        priority: Option<i8>,
    ) {
        let host = session.host();
        let jid = |name| element.attribute(name).and_then(|jid| Jid::new(&jid).ok());
        let (Some(kind), Some(from), Some(to)) = (StanzaKind::of(&element), jid("from"), jid("to"))
        else {
            return;
        };
        let is_message = kind == StanzaKind::Message;
        if kind == StanzaKind::Presence
            || (is_message && (is_stored(&element, host) || others_have(session, &to, priority)))
        {
            return;
        }
        // The error of an iq is for the sender, who may be a user of another host.
        let addresses = (Some(from), Some(to));
        let stanza = Stanza::new(kind, element, addresses, Origin::Host(host.clone()));
        if !is_message {
            let is_request = matches!(stanza.type_().as_deref(), Some("get" | "set"));
            if is_request {
                self.refuse(&stanza, &StanzaError::service_unavailable());
            }
        } else if let Some(mut message) = TypedStanza::new(stanza) {
            self.route(&mut message, false).await;
        }
    }
}

/// Whether a message came from the host's own storage, from which it is deleted when it has been
/// sent. The host marks these messages (XEP-0203).
fn is_stored(message: &Element, host: &Host) -> bool {
    message.children().any(|child| {
        child.is("delay", "urn:xmpp:delay")
            && child.attribute("from").as_deref() == Some(host.name())
    })
}

/// Whether other clients of the account got a message to the bare JID, too: those with the same
/// priority (RFC 6121 §8.5.2.1.1) that connected before. One that connected later may have taken the
/// place of the client whose stream ended, so it gets the message, even if it has it already.
fn others_have(session: &Session, to: &Jid, priority: Option<i8>) -> bool {
    let (None, Some(node), Some(priority)) = (to.resource(), to.node(), priority) else {
        return false;
    };
    let mut have = false;
    session.host().sessions().each(node.as_str(), |other| {
        have |= other.id() < session.id()
            && other.presence().is_some_and(|presence| presence.priority == priority);
    });
    have
}
