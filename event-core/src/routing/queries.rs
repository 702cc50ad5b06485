//! The iq requests of this server that wait for their answer.

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
};

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
    pub(crate) waiting: Mutex<HashMap<Box<str>, Waiting>>,
    /// Read for every iq; spares the lock while nobody waits.
    pub(crate) count: AtomicUsize,
}

#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) from: Jid,
    pub(crate) to: Jid,
    pub(crate) answer: oneshot::Sender<Iq>,
}

/// Requests that may wait at a time.
pub(crate) const MAX_WAITING: usize = 65_536;

impl Queries {
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
