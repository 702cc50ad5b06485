//! Requests that the server itself sends, and the answers they wait for.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;

use jid::Jid;
use tokio::sync::oneshot;
use xmpp_parsers::{iq, message, presence};

use crate::{
    Host, Origin, Session,
    flow::Reply,
    router::deeper,
    stanza::{Iq, IqType, Stanza, StanzaKind},
    xml::{Element, PayloadError},
};

/// Anything that is, or can be written as, a stanza.
pub trait IntoStanza {
    /// The stanza.
    ///
    /// # Errors
    /// It cannot be written.
    fn into_stanza(self) -> Result<Element, PayloadError>;
}

impl IntoStanza for Element {
    fn into_stanza(self) -> Result<Element, PayloadError> {
        Ok(self)
    }
}

impl IntoStanza for Reply {
    fn into_stanza(self) -> Result<Element, PayloadError> {
        Ok(self.0)
    }
}

macro_rules! into_stanza {
    ($($type:ty),*) => {$(
        impl IntoStanza for $type {
            fn into_stanza(self) -> Result<Element, PayloadError> {
                Element::from_xso(&self)
            }
        }
    )*};
}

into_stanza!(message::Message, presence::Presence, iq::Iq);

/// Why a request got no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The other side refused; this is its answer.
    #[error("the other side answered with an error")]
    Refused(Box<Iq>),
    /// No answer came in time.
    #[error("no answer in time")]
    Timeout,
    /// It is not an iq request with a `to`.
    #[error("not an iq request with a `to`")]
    NotARequest,
    /// Too many requests wait already, or each other's handlers send them without end.
    #[error("too many requests wait for their answers")]
    TooMany,
    /// It could not be written.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

/// The requests that wait, by id.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    waiting: Mutex<HashMap<Box<str>, Waiting>>,
    /// Read for every iq; spares the lock while nobody waits.
    count: AtomicUsize,
}

#[derive(Debug)]
struct Waiting {
    from: Jid,
    to: Jid,
    answer: oneshot::Sender<Iq>,
}

/// Requests that may wait at a time.
const MAX_WAITING: usize = 65_536;

impl Queries {
    fn add(&self, id: &str, waiting: Waiting) -> Result<(), QueryError> {
        let mut map = self.waiting.lock();
        if map.len() >= MAX_WAITING {
            return Err(QueryError::TooMany);
        }
        map.insert(id.into(), waiting);
        self.count.store(map.len(), Ordering::Release);
        Ok(())
    }

    fn remove(&self, id: &str) -> Option<Waiting> {
        let mut map = self.waiting.lock();
        let waiting = map.remove(id);
        self.count.store(map.len(), Ordering::Release);
        waiting
    }

    /// Whether a request of this server still waits for its answer.
    pub(crate) fn is_waiting(&self, iq: &Stanza) -> bool {
        let map = self.waiting.lock();
        iq.id().is_some_and(|id| map.contains_key(&*id))
    }

    /// Gives an answer to whoever waits for it; the stanza comes back if nobody does.
    pub(crate) fn answer(&self, stanza: Stanza) -> Option<Stanza> {
        if stanza.kind() != StanzaKind::Iq || self.count.load(Ordering::Acquire) == 0 {
            return Some(stanza);
        }
        let kind = match stanza.type_().as_deref().and_then(IqType::parse) {
            Some(kind) if !kind.is_request() => kind,
            _ => return Some(stanza),
        };
        let taken = {
            let Some(id) = stanza.id() else { return Some(stanza) };
            let mut map = self.waiting.lock();
            let is_answer = map.get(&*id).is_some_and(|waiting| {
                stanza.from() == Some(&waiting.to) && stanza.to() == Some(&waiting.from)
            });
            let taken = if is_answer { map.remove(&*id) } else { None };
            self.count.store(map.len(), Ordering::Release);
            taken
        };
        match taken {
            Some(waiting) => {
                // The waiter may have given up meanwhile; then nobody wants the answer.
                let _ = waiting.answer.send(Iq::new(stanza, kind));
                None
            }
            None => Some(stanza),
        }
    }
}

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
    core: std::sync::Weak<crate::Core>,
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

impl crate::Core {
    /// Notes that a host waits for the answer to an iq request, which the caller itself brings on
    /// its way. No event fires for it.
    ///
    /// # Errors
    /// It is no request with a `to`, or too many wait.
    pub fn expect(host: &Arc<Host>, mut iq: Element) -> Result<(Stanza, Expected), QueryError> {
        let core = host.core();
        let to = iq.attribute("to").and_then(|to| Jid::new(&to).ok());
        let to = to.ok_or(QueryError::NotARequest)?;
        let id = crate::random_id();
        iq.set_attribute("id", Some(&id));
        let from = crate::router::stamp(host, &mut iq);
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
    let id = crate::random_id();
    iq.set_attribute("id", Some(&id));
    let from = crate::router::stamp(host, &mut iq);
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

impl crate::Core {
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
