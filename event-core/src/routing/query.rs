//! Sends iq requests of this server, and gives the answers to the handlers that await them.

use std::sync::{Arc, Weak};

use jid::Jid;
use tokio::{sync::oneshot, time::timeout};
use xmpp_xml::Element;

use crate::{
    host::host::Host,
    protocol::{
        iq::{Iq, IqType},
        origin::Origin,
        stanza::{Stanza, StanzaKind},
    },
    routing::{
        outbox::run_nested,
        queries::{Queries, QueryError, Waiting},
        send::set_from,
        server_core::Core,
    },
    session::{session::Session, stream::SessionKind},
    util::id::random_id,
};

/// Removes a request when dropped.
struct RemoveOnDrop<'a>(&'a Queries, &'a str);

impl Drop for RemoveOnDrop<'_> {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

/// The answer to a request, which may not have arrived yet. If the value is dropped, a later answer
/// is routed like any other iq.
#[derive(Debug)]
pub struct Expected {
    core: Weak<Core>,
    id: Box<str>,
    answer: oneshot::Receiver<Iq>,
}

impl Expected {
    /// Waits without a time limit for the result or error. Returns `None` if the server ends first.
    pub async fn answer(mut self) -> Option<Iq> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            core.queries().remove(&self.id);
        }
    }
}

impl Core {
    /// Gives an iq request of `host` an id and registers the request. The caller writes the
    /// returned stanza to its receiver; no event fires.
    ///
    /// # Errors
    /// `iq` is not a stanza with a `to`, or too many requests wait.
    pub fn expect_answer(
        self: &Arc<Self>,
        host: &Arc<Host>,
        iq: Element,
    ) -> Result<(Stanza, Expected), QueryError> {
        let (id, stanza, answer) = self.add_query(host, iq)?;
        Ok((stanza, Expected { core: Arc::downgrade(self), id, answer }))
    }

    /// Sends an iq request from `host` and waits for its answer, at most [`Host::QUERY_TIMEOUT`].
    pub(crate) async fn query(&self, host: &Arc<Host>, iq: Element) -> Result<Iq, QueryError> {
        let iq_type = iq.attribute("type").and_then(|value| IqType::parse(&value));
        if iq_type.map(IqType::is_request) != Some(true) {
            return Err(QueryError::NotARequest);
        }
        let (id, stanza, answer) = self.add_query(host, iq)?;
        let _remove = RemoveOnDrop(self.queries(), &id);
        // The outbox would be routed only after the end of the chain that waits here.
        let routed = run_nested(Box::pin(self.route_query(stanza))).await;
        routed.ok_or(QueryError::TooMany)?;
        match timeout(Host::QUERY_TIMEOUT, answer).await {
            Ok(Ok(iq)) if iq.iq_type() == IqType::Result => Ok(iq),
            Ok(Ok(iq)) => Err(QueryError::Refused(Box::new(iq))),
            Ok(Err(_)) | Err(_) => Err(QueryError::Timeout),
        }
    }

    /// Gives a request an id and registers it. Returns the id, the stanza and the receiver of the
    /// answer.
    fn add_query(
        &self,
        host: &Arc<Host>,
        mut iq: Element,
    ) -> Result<(Box<str>, Stanza, oneshot::Receiver<Iq>), QueryError> {
        let to = iq.attribute("to").and_then(|to| Jid::new(&to).ok());
        let (Some(to), Some(kind)) = (to, StanzaKind::of(&iq)) else {
            return Err(QueryError::NotARequest);
        };
        let id = random_id();
        iq.set_attribute("id", Some(&id));
        let from = set_from(host, &mut iq);
        let (answer, receiver) = oneshot::channel();
        self.queries().add(&id, Waiting { from: from.clone(), to: to.clone(), answer })?;
        let addresses = (Some(from), Some(to));
        let stanza = Stanza::new(kind, iq, addresses, Origin::Host(Arc::clone(host)));
        Ok((id.into(), stanza, receiver))
    }

    /// Gives an iq result or error to the handler that awaits the answer, ahead of the stream's
    /// other elements and without any event. Returns any other element.
    pub fn take_awaited(&self, session: &Session, element: Element) -> Option<Element> {
        let kind = StanzaKind::of(&element);
        let is_taken = kind.is_some_and(|kind| self.take_answer(session, kind, &element));
        (!is_taken).then_some(element)
    }

    /// Does the same as [`Core::take_awaited`] for a stanza of a known kind. Returns whether a
    /// handler awaited the stanza.
    #[inline]
    pub(crate) fn take_answer(
        &self,
        session: &Session,
        kind: StanzaKind,
        element: &Element,
    ) -> bool {
        if kind != StanzaKind::Iq
            || !self.queries().has_waiting()
            || session.kind() == SessionKind::S2sOut
        {
            return false;
        }
        let from = match session.jid() {
            Some(full) => Some(Jid::from(full.clone())),
            // A server or component may answer only for domains that it has proved. Any other
            // answer is refused by `admit_from_remote`.
            None => element
                .attribute("from")
                .and_then(|from| Jid::new(&from).ok())
                .filter(|from| self.is_authorized(session, from.domain().as_str())),
        };
        if from.is_none() {
            return false;
        }
        let to = match element.attribute("to") {
            Some(to) => Jid::new(&to).ok(),
            None => session.user().cloned().map(Jid::from),
        };
        let origin = Origin::Session(session.clone());
        let stanza = Stanza::new(kind, element.clone(), (from, to), origin);
        self.queries().answer(stanza).is_none()
    }
}
