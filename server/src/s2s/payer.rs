//! Who pays for streams to other servers.
//!
//! Each stream, each attempt to connect, and the memory of each waiting stanza is counted for the
//! account or domain that has caused it. So nobody can use up what is there for all.

use std::{
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use event_core::{Session, SessionKind, Stanza, StanzaError, StanzaKind};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::shares::Shares;
use crate::{config::S2s, net::limiter::OutgoingFiles};

/// The number of servers that are connected to at the same time for one payer.
const DIALS: usize = 20;
/// The number of streams of one account.
const STREAMS: usize = 500;
/// How many times `queue_bytes` all queues together may hold.
const QUEUES: usize = 16;
/// The memory of a waiting stanza besides its text.
const STANZA: usize = 512;

/// An account of this server, or a domain whose accounts this server does not know.
#[derive(Debug)]
pub(super) struct Payer {
    dials: Arc<Semaphore>,
    streams: Counter,
    bytes: Counter,
}

/// A number that must not exceed a maximum.
#[derive(Debug)]
struct Counter {
    used: AtomicUsize,
    most: usize,
}

impl Counter {
    fn new(most: usize) -> Self {
        Self { used: AtomicUsize::new(0), most }
    }

    fn take(&self, count: usize) -> bool {
        let more = |used: usize| used.checked_add(count).filter(|sum| *sum <= self.most);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give(&self, count: usize) {
        self.used.fetch_sub(count, Ordering::Relaxed);
    }

    fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes from this share and from the whole, of which nobody may have more than remains free for
    /// all others.
    fn take_with(&self, all: &Self, count: usize) -> bool {
        let is_fair = self.used().saturating_add(all.used()).saturating_add(count) <= all.most;
        let is_taken = is_fair && self.take(count);
        if is_taken && !all.take(count) {
            self.give(count);
            return false;
        }
        is_taken
    }
}

impl PartialEq for Payer {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Payer {}

impl Hash for Payer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self).hash(state);
    }
}

/// All payers, and what they use together.
#[derive(Debug)]
pub(super) struct Payers {
    known: Shares<Box<str>, Payer>,
    dials: Arc<Semaphore>,
    files: OutgoingFiles,
    queue_bytes: usize,
    streams: Arc<Counter>,
    bytes: Arc<Counter>,
}

impl Payers {
    pub(super) fn new(config: &S2s, files: OutgoingFiles) -> Self {
        Self {
            known: Shares::new(),
            dials: Arc::new(Semaphore::new(files.dials)),
            files,
            queue_bytes: config.queue_bytes,
            streams: Arc::new(Counter::new(files.streams)),
            bytes: Arc::new(Counter::new(config.queue_bytes.saturating_mul(QUEUES))),
        }
    }

    /// The payer of a stanza.
    pub(super) fn of(&self, stanza: &Stanza) -> Arc<Payer> {
        self.known.get(name(stanza), |name| {
            // A domain stands for many users.
            let (streams, bytes) = match name.contains('@') {
                true => (STREAMS.min(self.files.streams / 4), self.queue_bytes),
                false => (self.files.streams / 2, self.queue_bytes.saturating_mul(QUEUES / 4)),
            };
            Payer {
                dials: Arc::new(Semaphore::new(DIALS.min(self.files.dials / 4).max(1))),
                streams: Counter::new(streams.max(1)),
                bytes: Counter::new(bytes),
            }
        })
    }

    /// Counts a stream.
    ///
    /// # Errors
    ///
    /// The payer, or all together, have too many streams.
    pub(super) fn open(&self, payer: &Arc<Payer>) -> Result<Place, StanzaError> {
        if !payer.streams.take_with(&self.streams, 1) {
            let text = "too many other servers have got stanzas from you";
            return Err(StanzaError::resource_constraint().text(text));
        }
        Ok(Place { payer: Arc::clone(payer), all: Arc::clone(&self.streams) })
    }

    /// Counts a stanza of this size in memory. `None` if the payer, or all together, hold too many.
    pub(super) fn hold(&self, payer: &Arc<Payer>, size: usize) -> Option<Held> {
        let bytes = size.saturating_add(STANZA);
        let held = || Held { payer: Arc::clone(payer), all: Arc::clone(&self.bytes), bytes };
        payer.bytes.take_with(&self.bytes, bytes).then(held)
    }

    /// Waits until one more server may be connected to, by all together.
    pub(super) fn dial(&self) -> impl Future<Output = Permit> + use<> {
        Arc::clone(&self.dials).acquire_owned()
    }
}

/// The permit to connect to a server, until this is dropped. Semaphores here are never closed.
pub(super) type Permit = Result<OwnedSemaphorePermit, AcquireError>;

impl Payer {
    /// Waits until one more server may be connected to for this payer.
    pub(super) fn dial(&self) -> impl Future<Output = Permit> + use<> {
        Arc::clone(&self.dials).acquire_owned()
    }
}

/// A stream that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    payer: Arc<Payer>,
    all: Arc<Counter>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.payer.streams.give(1);
        self.all.give(1);
    }
}

/// A stanza in memory that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) payer: Arc<Payer>,
    all: Arc<Counter>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.payer.bytes.give(self.bytes);
        self.all.give(self.bytes);
    }
}

/// The name of the payer: the account in `from`, or else the domain. An answer is paid by the domain
/// that gets it, which has asked, unless a client or component may have made it up.
fn name(stanza: &Stanza) -> Box<str> {
    let origin = stanza.origin();
    let kind = origin.session().map(Session::kind);
    let is_own = matches!(kind, Some(SessionKind::Client | SessionKind::Component));
    if let Some(to) = stanza.to().filter(|_| !is_own && is_answer(stanza)) {
        return to.domain().as_str().into();
    }
    let host = origin.host();
    let Some(from) = stanza.from() else { return host.name().into() };
    // A component chooses its addresses as it likes.
    let is_account = from.domain().as_str() == host.name() && host.settings().secret.is_none();
    match from.node() {
        Some(_) if is_account => from.to_bare().as_str().into(),
        _ => from.domain().as_str().into(),
    }
}

/// Whether a stanza is an answer. Answers are sent even while the server stops.
pub(super) fn is_answer(stanza: &Stanza) -> bool {
    let kind = stanza.type_();
    stanza.is_error() || (stanza.kind() == StanzaKind::Iq && kind.as_deref() == Some("result"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: OutgoingFiles = OutgoingFiles { streams: 40, dials: 8, checks: 1 };

    fn payers() -> Payers {
        Payers::new(&S2s { queue_bytes: 2000, ..S2s::default() }, FILES)
    }

    fn payer(payers: &Payers, streams: usize) -> Arc<Payer> {
        let (dials, bytes) = (Arc::new(Semaphore::new(2)), Counter::new(2000));
        assert_eq!(payers.files, FILES);
        Arc::new(Payer { dials, streams: Counter::new(streams), bytes })
    }

    #[test]
    fn streams_are_counted_for_each_payer_and_together() {
        let payers = payers();
        let all: Vec<_> = (0..5).map(|_| payer(&payers, 10)).collect();
        let fill =
            |payer: &Arc<Payer>| std::iter::from_fn(|| payers.open(payer).ok()).collect::<Vec<_>>();
        let mut places: Vec<_> = all.iter().map(fill).collect();
        assert_eq!(places.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10, 5, 3]);
        places.remove(0);
        assert_eq!((fill(&all[1]).len(), fill(&all[4]).len()), (0, 5));
        drop(places);
        assert_eq!(payers.streams.used(), 0);
    }

    #[test]
    fn stanzas_are_counted_with_what_they_need_besides_their_text() {
        let payers = payers();
        let payer = payer(&payers, 1);
        let held: Vec<_> = (0..3).map(|_| payers.hold(&payer, 100).unwrap()).collect();
        assert!(payers.hold(&payer, 100).is_none());
        assert!(payers.hold(&payer, usize::MAX).is_none());
        drop(held);
        assert!(payers.hold(&payer, 2000 - STANZA).is_some());
        assert_eq!(payers.bytes.used(), 0);
    }
}
