//! Sends the answers to stanzas.

use std::sync::{Arc, Weak};

use jid::Jid;
use xmpp_xml::Element;
use xso::AsXml;

use crate::{
    protocol::{
        iq::Iq,
        origin::Origin,
        reply::Reply,
        stanza::{Stanza, StanzaKind},
        stanza_error::StanzaError,
    },
    routing::{
        outbox::{enqueue, has_entries},
        outgoing::Outgoing,
        send::set_from,
        server_core::Core,
    },
    session::stream::SessionKind,
};

impl Core {
    /// Sends an answer to the client that sent the stanza, or routes the answer if no client did.
    pub(crate) fn answer(&self, origin: &Origin, reply: Element) {
        match origin {
            Origin::Session(session) if session.kind() == SessionKind::Client => {
                // The answer is delivered after the stanzas that the chain sent before. Only the
                // answer to resource binding, which has no `to`, is delivered at once: the client
                // must learn its address before the stanzas of `resource-bind` handlers arrive.
                let is_waiting = reply.attribute("to").is_some() && has_entries();
                if !is_waiting {
                    session.send_own(&reply);
                } else {
                    enqueue(self, Outgoing::Deliver(session.clone(), reply));
                }
            }
            Origin::Session(_) | Origin::Host(_) => {
                let mut reply = reply;
                let jid = |reply: &Element, name| {
                    reply.attribute(name).and_then(|jid| Jid::new(&jid).ok())
                };
                let from =
                    jid(&reply, "from").unwrap_or_else(|| set_from(origin.host(), &mut reply));
                let to = jid(&reply, "to");
                // A stream between servers can be for several hosts, so the host is taken from the
                // answer.
                let local = self.host(from.domain().as_str());
                let host = local.unwrap_or_else(|| Arc::clone(origin.host()));
                let addresses = (Some(from), to);
                let Some(kind) = StanzaKind::of(&reply) else { return };
                let stanza = Stanza::new(kind, reply, addresses, Origin::Host(host));
                let stanza = match origin {
                    // A module of the host sent the request; a query may wait for the answer.
                    Origin::Host(host)
                        if stanza.to().is_some_and(|to| to.domain().as_str() == host.name()) =>
                    {
                        self.queries().answer(stanza)
                    }
                    _ => Some(stanza),
                };
                if let Some(stanza) = stanza {
                    enqueue(self, Outgoing::Route(stanza));
                }
            }
        }
    }

    /// Answers a stanza with an error, unless the stanza is an error or an iq result.
    pub(crate) fn refuse(&self, stanza: &Stanza, error: &StanzaError) {
        if stanza.may_be_answered() {
            self.answer(stanza.origin(), stanza.error_reply(error).0);
        }
    }
}

/// Answers an iq request after the handler has returned. If the value is dropped without an answer,
/// the request is answered with `internal-server-error`.
#[derive(Debug)]
#[must_use = "dropping it answers the request with `internal-server-error`"]
pub struct AnswerLater {
    iq: Option<Stanza>,
    core: Weak<Core>,
}

impl AnswerLater {
    /// Marks `iq` as answered later.
    pub(crate) fn new(iq: &mut Iq, core: Weak<Core>) -> Self {
        iq.mark_answered_later();
        Self { iq: Some(Stanza::clone(iq)), core }
    }

    /// Answers with an empty result.
    pub fn reply(mut self) {
        self.answer(Stanza::reply);
    }

    /// Answers with a payload.
    pub fn reply_with(mut self, payload: impl AsXml) {
        self.answer(|iq| iq.reply_with(payload));
    }

    /// Answers with a payload given as an element.
    pub fn reply_with_element(mut self, payload: &Element) {
        self.answer(|iq| iq.reply_with_element(payload));
    }

    /// Answers with an error.
    pub fn error(mut self, error: &StanzaError) {
        self.answer(|iq| iq.error_reply(error));
    }

    fn answer(&mut self, build: impl FnOnce(&Stanza) -> Reply) {
        if let Some(iq) = self.iq.take() {
            let reply = build(&iq);
            // After the end of the server, there is no stream to answer on.
            if let Some(core) = self.core.upgrade() {
                core.answer(iq.origin(), reply.0);
            }
        }
    }
}

impl Drop for AnswerLater {
    fn drop(&mut self) {
        self.answer(|iq| {
            tracing::error!(id = iq.id().as_deref(), "an iq request was never answered");
            iq.error_reply(&StanzaError::internal_server_error())
        });
    }
}
