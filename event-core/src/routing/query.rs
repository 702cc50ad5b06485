//! Requests that the server itself sends, and the answers they wait for.

use std::sync::{Arc, atomic::Ordering};

use jid::Jid;
use tokio::sync::oneshot;
use xmpp_xml::Element;

use crate::{
    host::host::Host,
    protocol::{
        iq::{Iq, IqType},
        origin::Origin,
        stanza::{Stanza, StanzaKind},
    },
    routing::{
        outbox::deeper,
        queries::{Queries, QueryError, Waiting},
    },
    session::session::Session,
};

/// Forgets a request when its waiter is done, answered or not.
struct Forget<'a>(&'a Queries, &'a str);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

/// A request on its way, and its answer when it comes; dropped, nobody waits any more.
#[derive(Debug)]
pub struct Expected {
    core: std::sync::Weak<crate::routing::core::Core>,
    id: Box<str>,
    answer: oneshot::Receiver<Iq>,
}

impl Expected {
    /// The result or error, whenever it comes; `None` when the server ends before.
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

impl crate::routing::core::Core {
    /// Notes that a host waits for the answer to an iq request, which the caller itself brings on
    /// its way. No event fires for it.
    ///
    /// # Errors
    /// It is no request with a `to`, or too many wait.
    pub fn expect(host: &Arc<Host>, mut iq: Element) -> Result<(Stanza, Expected), QueryError> {
        let core = host.core();
        let to = iq.attribute("to").and_then(|to| Jid::new(&to).ok());
        let to = to.ok_or(QueryError::NotARequest)?;
        let id = crate::util::id::random_id();
        iq.set_attribute("id", Some(&id));
        let from = crate::routing::send::stamp(host, &mut iq);
        let addresses = (Some(from.clone()), Some(to.clone()));
        let stanza = Stanza::new(iq, addresses, Origin::Host(Arc::clone(host)));
        let stanza = stanza.ok_or(QueryError::NotARequest)?;
        let (answer, waiter) = oneshot::channel();
        core.queries().add(&id, Waiting { from, to, answer })?;
        let core = Arc::downgrade(&core);
        Ok((stanza, Expected { core, id: id.into(), answer: waiter }))
    }
}

pub(crate) async fn query(host: &Arc<Host>, mut iq: Element) -> Result<Iq, QueryError> {
    let core = host.core();
    let is_request = iq.attribute("type").and_then(|kind| IqType::parse(&kind));
    let to = iq.attribute("to").and_then(|to| Jid::new(&to).ok());
    let (Some(true), Some(to)) = (is_request.map(IqType::is_request), to) else {
        return Err(QueryError::NotARequest);
    };
    let id = crate::util::id::random_id();
    iq.set_attribute("id", Some(&id));
    let from = crate::routing::send::stamp(host, &mut iq);
    let (answer, waiter) = oneshot::channel();
    core.queries().add(&id, Waiting { from: from.clone(), to: to.clone(), answer })?;
    let _forget = Forget(core.queries(), &id);
    let stanza = Stanza::new(iq, (Some(from), Some(to)), Origin::Host(Arc::clone(host)))
        .ok_or(QueryError::NotARequest)?;
    // Not through the outbox: the chain that waits would have to end first.
    let routed = deeper(Box::pin(core.route_query(stanza))).await;
    routed.ok_or(QueryError::TooMany)?;
    match tokio::time::timeout(Host::QUERY_TIMEOUT, waiter).await {
        Ok(Ok(iq)) if iq.iq_type() == IqType::Result => Ok(iq),
        Ok(Ok(iq)) => Err(QueryError::Refused(Box::new(iq))),
        Ok(Err(_)) | Err(_) => Err(QueryError::Timeout),
    }
}

impl crate::routing::core::Core {
    /// Gives an iq result or error that a stream just read to the handler that waits for it,
    /// ahead of queued stanzas. `None` when it was taken.
    pub fn intercept(&self, session: &Session, element: Element) -> Option<Element> {
        if self.queries().count.load(Ordering::Acquire) == 0
            || StanzaKind::of(&element) != Some(StanzaKind::Iq)
        {
            return Some(element);
        }
        let from = match session.jid() {
            Some(full) => Some(Jid::from(full.clone())),
            // What another domain says of itself is its own; what it says of others is refused
            // where stanzas are routed.
            None => element
                .attribute("from")
                .and_then(|from| Jid::new(&from).ok())
                .filter(|from| session.is_authorized(from.domain().as_str())),
        };
        if from.is_none() {
            return Some(element);
        }
        let to = match element.attribute("to") {
            Some(to) => Jid::new(&to).ok(),
            None => session.user().cloned().map(Jid::from),
        };
        let origin = Origin::Session(session.clone());
        let stanza = Stanza::new(element.clone(), (from, to), origin)?;
        self.queries().answer(stanza).map(|_| element)
    }
}
