//! Answers to stanzas.

use std::sync::Arc;

use jid::Jid;
use xmpp_xml::Element;
use xso::AsXml;

use crate::{
    protocol::{iq::Iq, origin::Origin, reply::Reply, stanza::Stanza, stanza_error::StanzaError},
    routing::{
        outbox::{OUTBOX, Outgoing, post},
        send::stamp,
    },
    session::stream::SessionKind,
};

/// Sends an answer back to where the stanza came from.
pub(crate) fn answer(origin: &Origin, reply: Element) {
    match origin {
        Origin::Session(session) if session.kind() == SessionKind::Client => {
            // What the chain sent before its answer goes first; but what `resource-bind` had sent
            // is for a client that knows its address, and the answer that says it has no `to`.
            let is_waiting = reply.attribute("to").is_some()
                && OUTBOX.try_with(|outbox| !outbox.borrow().is_empty()) == Ok(true);
            if !is_waiting {
                session.send(&reply);
            } else if let Some(core) = origin.host().try_core() {
                post(&core, Outgoing::Deliver(session.clone(), reply));
            }
        }
        Origin::Session(_) | Origin::Host(_) => {
            let Some(core) = origin.host().try_core() else { return };
            let mut reply = reply;
            let jid =
                |reply: &Element, name| reply.attribute(name).and_then(|jid| Jid::new(&jid).ok());
            let from = jid(&reply, "from").unwrap_or_else(|| stamp(origin.host(), &mut reply));
            let to = jid(&reply, "to");
            // A stream between servers may be to several hosts; it is the one asked that answers.
            let local = core.host(from.domain().as_str());
            let host = local.unwrap_or_else(|| Arc::clone(origin.host()));
            let answering = (Some(from), to);
            let Some(stanza) = Stanza::new(reply, answering, Origin::Host(host)) else { return };
            let stanza = match origin {
                // The host asked: only a query can wait for it.
                Origin::Host(host)
                    if stanza.to().is_some_and(|to| to.domain().as_str() == host.name()) =>
                {
                    core.queries().answer(stanza)
                }
                _ => Some(stanza),
            };
            if let Some(stanza) = stanza {
                post(&core, Outgoing::Route(stanza));
            }
        }
    }
}

pub(crate) fn refuse(stanza: &Stanza, error: &StanzaError) {
    if stanza.may_be_answered() {
        answer(stanza.origin(), stanza.error_reply(error).0);
    }
}

impl Iq {
    /// Takes over the duty to answer a request. The handler then returns [`Flow::Handled`].
    ///
    /// [`Flow::Handled`]: crate::Handled
    pub fn answer_later(&mut self) -> AnswerLater {
        self.later = true;
        AnswerLater { iq: Some(self.stanza.clone()) }
    }
}

/// The duty to answer an iq request. Dropped without an answer, it answers
/// `internal-server-error`.
#[derive(Debug)]
#[must_use = "dropping it answers internal-server-error"]
pub struct AnswerLater {
    iq: Option<Stanza>,
}

impl AnswerLater {
    /// Answers with an empty result.
    pub fn reply(mut self) {
        self.answer(Stanza::reply);
    }

    /// Answers with a payload.
    pub fn reply_with(mut self, payload: impl AsXml) {
        self.answer(|iq| iq.reply_with(payload));
    }

    /// Answers with a payload that is XML already.
    pub fn reply_with_element(mut self, payload: &Element) {
        self.answer(|iq| iq.reply_with_element(payload));
    }

    /// Refuses.
    pub fn error(mut self, error: &StanzaError) {
        self.answer(|iq| iq.error_reply(error));
    }

    fn answer(&mut self, build: impl FnOnce(&Stanza) -> Reply) {
        if let Some(iq) = self.iq.take() {
            let reply = build(&iq);
            answer(iq.origin(), reply.0);
        }
    }
}

impl Drop for AnswerLater {
    fn drop(&mut self) {
        self.answer(|iq| {
            tracing::error!(id = ?iq.id(), "an iq request was never answered");
            iq.error_reply(&StanzaError::internal_server_error())
        });
    }
}
