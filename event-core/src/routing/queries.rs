//! The iq requests of this server that are not answered yet.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use jid::Jid;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use xmpp_xml::PayloadError;

use crate::protocol::{
    iq::{Iq, IqType},
    stanza::{Stanza, StanzaKind},
    stanza_error::{Condition, StanzaError},
};

/// The reason why a request got no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The other side answered with this error.
    #[error("the other side answered with an error")]
    Refused(Box<Iq>),
    /// No answer came in time.
    #[error("no answer in time")]
    Timeout,
    /// The stanza is not an iq request with a `to`.
    #[error("not an iq request with a `to`")]
    NotARequest,
    /// Too many requests wait for their answers, or the queries of handlers are nested too deep.
    #[error("too many requests wait for their answers")]
    TooMany,
    /// The server has ended.
    #[error("the server has ended")]
    Stopped,
    /// The request could not be written.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

/// For `?` in a handler that a client waits for: the client learns that the server could not do
/// its part, not what another entity answered.
impl From<QueryError> for StanzaError {
    fn from(error: QueryError) -> Self {
        let condition = match &error {
            QueryError::Timeout => Condition::RemoteServerTimeout,
            QueryError::TooMany => Condition::ResourceConstraint,
            QueryError::Refused(_) | QueryError::Stopped => Condition::ServiceUnavailable,
            QueryError::NotARequest | QueryError::Payload(_) => Condition::InternalServerError,
        };
        Self::new(condition)
    }
}

/// The requests without an answer, by id.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    waiting: Mutex<HashMap<Box<str>, Waiting>>,
    /// The size of the map. An iq does not take the lock while the size is zero.
    count: AtomicUsize,
}

#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) from: Jid,
    pub(crate) to: Jid,
    pub(crate) answer: oneshot::Sender<Iq>,
}

/// The number of requests that may wait at the same time.
pub(crate) const MAX_WAITING: usize = 65_536;

impl Queries {
    /// Whether any request waits for its answer. Takes no lock.
    pub(crate) fn has_waiting(&self) -> bool {
        self.count.load(Ordering::Acquire) != 0
    }

    pub(crate) fn add(&self, id: &str, waiting: Waiting) -> Result<(), QueryError> {
        let mut map = self.waiting.lock();
        if map.len() >= MAX_WAITING {
            return Err(QueryError::TooMany);
        }
        map.insert(id.into(), waiting);
        self.count.store(map.len(), Ordering::Release);
        Ok(())
    }

    pub(crate) fn remove(&self, id: &str) -> Option<Waiting> {
        let mut map = self.waiting.lock();
        let waiting = map.remove(id);
        self.count.store(map.len(), Ordering::Release);
        waiting
    }

    /// Whether the request `iq` still waits for its answer.
    pub(crate) fn is_waiting(&self, iq: &Stanza) -> bool {
        let map = self.waiting.lock();
        iq.id().is_some_and(|id| map.contains_key(&*id))
    }

    /// Gives an iq result or error to the handler that awaits the answer. Returns the stanza if no
    /// handler awaits it.
    pub(crate) fn answer(&self, stanza: Stanza) -> Option<Stanza> {
        if stanza.kind() != StanzaKind::Iq || !self.has_waiting() {
            return Some(stanza);
        }
        let iq_type = match stanza.type_().as_deref().and_then(IqType::parse) {
            Some(iq_type) if !iq_type.is_request() => iq_type,
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
                // If the handler no longer waits, the answer is dropped.
                let _ = waiting.answer.send(Iq::new(stanza, iq_type));
                None
            }
            None => Some(stanza),
        }
    }
}
