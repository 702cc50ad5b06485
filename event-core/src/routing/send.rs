//! Stanzas that a host itself sends.

use std::sync::Arc;

use jid::Jid;
use xmpp_xml::Element;

use crate::{
    host::host::Host,
    protocol::{
        origin::Origin,
        stanza::{Stanza, StanzaKind},
    },
    routing::outbox::{Copies, OUTBOX, Outgoing, post},
};

/// Sets `from` to the host unless it is a JID of the host already.
pub(crate) fn stamp(host: &Host, stanza: &mut Element) -> Jid {
    if let Some(from) = stanza.attribute("from").and_then(|from| Jid::new(&from).ok()) {
        if from.domain().as_str() == host.name() {
            return from;
        }
        tracing::error!(%from, host = host.name(), "a module sends for another domain");
    }
    stanza.set_attribute("from", Some(host.jid().as_str()));
    host.jid().clone()
}

/// A stanza from a host itself.
pub(crate) fn send(host: &Arc<Host>, mut element: Element) {
    let from = stamp(host, &mut element);
    let to = element.attribute("to").map(|to| Jid::new(&to));
    let Some(Ok(to)) = to else {
        tracing::error!(host = host.name(), stanza = element.name(), "a stanza needs a valid `to`");
        return;
    };
    let origin = Origin::Host(Arc::clone(host));
    let Some(stanza) = Stanza::new(element, (Some(from), Some(to)), origin) else {
        tracing::error!(host = host.name(), "what is sent must be a stanza");
        return;
    };
    let Some(core) = host.try_core() else { return };
    // The handler that waits for an answer would keep the outbox waiting.
    if let Some(stanza) = core.queries().answer(stanza) {
        post(&core, Outgoing::Route(stanza));
    }
}

/// Copies of a stanza from a host itself.
pub(crate) fn send_to(host: &Arc<Host>, mut element: Element, to: Vec<Jid>) {
    let from = stamp(host, &mut element);
    let stanza = Stanza::new(element, (Some(from), None), Origin::Host(Arc::clone(host)));
    let Some(stanza) = stanza.filter(|stanza| stanza.kind() != StanzaKind::Iq) else {
        tracing::error!(host = host.name(), "what is sent to many is a message or a presence");
        return;
    };
    let mut copies = Some(Copies::new(stanza, to));
    let in_turn = OUTBOX.try_with(|outbox| {
        copies.take().into_iter().for_each(|copies| outbox.borrow_mut().push_copies(copies));
    });
    if in_turn.is_err()
        && let Some(core) = host.try_core()
    {
        // Each takes its place on a queue that is bounded.
        copies.into_iter().flatten().for_each(|copy| post(&core, Outgoing::Route(copy)));
    }
}
