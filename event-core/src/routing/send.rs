//! Sends the stanzas of a host.

use std::sync::Arc;

use jid::{FullJid, Jid};
use xmpp_xml::Element;

use crate::{
    host::host::Host,
    protocol::{
        into_stanza::IntoStanza,
        origin::Origin,
        stanza::{Stanza, StanzaKind},
    },
    routing::{
        outbox::{Copies, enqueue, enqueue_copies},
        outgoing::Outgoing,
        server_core::Core,
    },
};

/// Sets `from` to the JID of the host, unless `from` is a JID on this host. Returns `from`.
pub(crate) fn set_from(host: &Host, stanza: &mut Element) -> Jid {
    if let Some(from) = stanza.attribute("from").and_then(|from| Jid::new(&from).ok()) {
        if from.domain().as_str() == host.name() {
            return from;
        }
        let host = host.name();
        tracing::error!(%from, host, "a module sent a stanza from another domain");
    }
    stanza.set_attribute("from", Some(host.jid().as_str()));
    host.jid().clone()
}

impl Core {
    /// Sends a stanza from `host`: see [`HostContext::send`](crate::HostContext::send).
    pub(crate) fn send(&self, host: &Arc<Host>, stanza: impl IntoStanza) {
        match stanza.into_stanza() {
            Ok(element) => self.send_element(host, element),
            Err(error) => tracing::error!(%error, host = host.name(), "a stanza could not be sent"),
        }
    }

    /// Routes the stanza when the outermost chain has ended.
    fn send_element(&self, host: &Arc<Host>, mut element: Element) {
        let from = set_from(host, &mut element);
        let to = element.attribute("to").map(|to| Jid::new(&to));
        let Some(Ok(to)) = to else {
            let stanza = element.name();
            tracing::error!(
                host = host.name(),
                stanza,
                "a module sent a stanza without a valid `to`"
            );
            return;
        };
        let Some(kind) = StanzaKind::of(&element) else {
            tracing::error!(host = host.name(), "a module sent an element that is not a stanza");
            return;
        };
        let addresses = (Some(from), Some(to));
        let stanza = Stanza::new(kind, element, addresses, Origin::Host(Arc::clone(host)));
        // The outbox would be routed only after the end of the chain that waits for an answer.
        if let Some(stanza) = self.queries().answer(stanza) {
            enqueue(self, Outgoing::Route(stanza));
        }
    }

    /// Sends copies of a message or presence from `host`: see
    /// [`HostContext::send_to`](crate::HostContext::send_to).
    pub(crate) fn send_to(&self, host: &Arc<Host>, mut element: Element, to: Vec<Jid>) {
        let from = set_from(host, &mut element);
        let Some(kind @ (StanzaKind::Message | StanzaKind::Presence)) = StanzaKind::of(&element)
        else {
            tracing::error!(
                host = host.name(),
                "a module sent copies of a stanza that is neither message nor presence"
            );
            return;
        };
        let origin = Origin::Host(Arc::clone(host));
        enqueue_copies(
            self,
            Copies::new(Stanza::new(kind, element, (Some(from), None), origin), to),
        );
    }

    /// Writes a stanza to the stream of the session `to`, without any event. Returns `false` when
    /// there is no such session or the session's stream refused the stanza.
    pub(crate) fn deliver(&self, host: &Host, to: &FullJid, stanza: impl IntoStanza) -> bool {
        let Some(session) = self.find(to) else { return false };
        match stanza.into_stanza() {
            Ok(stanza) => session.send(&stanza),
            Err(error) => {
                tracing::error!(%error, host = host.name(), "a stanza could not be delivered");
                false
            }
        }
    }
}
