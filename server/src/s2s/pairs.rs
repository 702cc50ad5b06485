//! The list of active pairs of a local and a remote domain.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use event_core::{Core, Host, HostContext, Stanza, StanzaError};
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    dial::{Dialer, Link, NoStream, Purpose},
    pair::{Offer, Pair},
    payer::{Payer, Payers, Permit},
    queue::{Bounds, Queue},
};
use crate::{config::S2s, net::limiter::OutgoingFiles, stream::Streams};

/// The maximum number of failures that are remembered.
const MAX_FAILURES: usize = 10_000;
/// The time for which a first failure is remembered, and the longest such time.
const REMEMBERED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The active pairs of domains, and their common state.
#[derive(Debug)]
pub(super) struct Pairs {
    pub(super) dialer: Dialer,
    payers: Payers,
    /// Set before a stanza can be sent.
    core: OnceLock<Weak<Core>>,
    bounds: Bounds,
    /// The time after which an unused stream is closed.
    idle: Duration,
    list: Mutex<List>,
    /// Notified when a pair has made progress.
    moved: Notify,
}

/// A local and a remote domain.
type Key = (Box<str>, Box<str>);

#[derive(Debug, Default)]
struct List {
    active: HashMap<Key, Arc<Pair>>,
    /// The pairs for which no stream could be opened lately.
    failures: HashMap<Key, Failure>,
}

/// A failure to open a stream. Until the time has passed, stanzas get the same error at once.
#[derive(Debug)]
struct Failure {
    error: StanzaError,
    until: Instant,
    wait: Duration,
}

impl List {
    fn remember(&mut self, key: Key, error: &StanzaError, now: Instant) {
        let before = self.failures.get(&key).map(|failure| failure.wait);
        let wait = before.map_or(REMEMBERED.0, |wait| REMEMBERED.1.min(2 * wait));
        if before.is_none() && self.failures.len() >= MAX_FAILURES {
            self.failures.retain(|_, failure| failure.until > now);
        }
        if before.is_some() || self.failures.len() < MAX_FAILURES {
            self.failures.insert(key, Failure { error: error.clone(), until: now + wait, wait });
        }
    }

    /// The error of a pair that has failed and is not tried again yet.
    fn remembered(&self, key: &Key) -> Option<&StanzaError> {
        let failure = self.failures.get(key).filter(|failure| failure.until > Instant::now());
        failure.map(|failure| &failure.error)
    }
}

impl Pairs {
    pub(super) fn new(config: &S2s, files: OutgoingFiles) -> Self {
        Self {
            dialer: Dialer::new(config),
            payers: Payers::new(config, files),
            core: OnceLock::new(),
            bounds: Bounds { stanzas: config.queue_stanzas, bytes: config.queue_bytes },
            idle: Duration::from_secs(config.idle_seconds),
            list: Mutex::default(),
            moved: Notify::new(),
        }
    }

    /// Allows streams to be opened.
    pub(super) fn open(&self, streams: &Arc<Streams>) {
        // A second call has no effect, because a process has one server.
        let _ = self.core.set(Arc::downgrade(streams.core()));
        self.dialer.open(streams);
    }

    /// The core; `None` before the server listens and after its end.
    pub(super) fn core(&self) -> Option<Arc<Core>> {
        self.core.get().and_then(Weak::upgrade)
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock()
    }

    /// The number of active pairs, and the number of their stanzas that wait or are not confirmed.
    pub(super) fn queued(&self) -> (usize, usize) {
        let list = self.list();
        (list.active.len(), list.active.values().map(|pair| pair.queued()).sum())
    }

    /// Queues a stanza for a domain.
    ///
    /// # Errors
    ///
    /// The domain could not be reached lately, or the payer's share is used up.
    pub(super) fn send(self: &Arc<Self>, stanza: &Stanza, remote: &str) -> Result<(), StanzaError> {
        let payer = self.payers.of(stanza);
        loop {
            let pair = self.pair(stanza.origin().host(), remote, &payer)?;
            match pair.offer(stanza, &payer, &self.payers) {
                Offer::Taken => return Ok(()),
                Offer::Full => {
                    let text = format!("your share of the queue to {remote} is full");
                    return Err(StanzaError::resource_constraint().text(text));
                }
                // The pair has just ended and been removed from the list.
                Offer::Over => {}
            }
        }
    }

    /// The pair of two domains. Starts a new pair if there is none.
    fn pair(
        self: &Arc<Self>,
        host: &Arc<Host>,
        remote: &str,
        payer: &Arc<Payer>,
    ) -> Result<Arc<Pair>, StanzaError> {
        let mut list = self.list();
        let key = (host.name().into(), remote.into());
        if let Some(pair) = list.active.get(&key) {
            return Ok(Arc::clone(pair));
        }
        if let Some(error) = list.remembered(&key) {
            return Err(error.clone());
        }
        let core = self.core().ok_or_else(StanzaError::remote_server_timeout)?;
        let place = self.payers.open(payer)?;
        let host = HostContext::new(&core, host);
        let pair = Arc::new(Pair::new(host, remote, Queue::new(self.bounds), place));
        list.active.insert(key, Arc::clone(&pair));
        tokio::spawn(Arc::clone(self).run(Arc::clone(&pair)));
        Ok(pair)
    }

    /// The error of a pair of domains that has failed and is not tried again yet.
    pub(super) fn remembered(&self, host: &str, remote: &str) -> Option<StanzaError> {
        self.list().remembered(&(host.into(), remote.into())).cloned()
    }

    /// Resets the backoff of the pairs to a server that is known to run.
    pub(super) fn reset_backoff(&self, remote: &str) {
        let Some(core) = self.core() else { return };
        let mut list = self.list();
        for host in core.hosts() {
            let key = (host.name().into(), remote.into());
            list.failures.remove(&key);
            if let Some(pair) = list.active.get(&key) {
                pair.reset_backoff();
            }
        }
    }

    /// Waits until all accepted stanzas are confirmed, for at most `limit`.
    pub(super) async fn settle(&self, limit: Duration) {
        self.until(limit, || self.list().active.values().all(|pair| pair.is_settled())).await;
    }

    /// Closes all streams when their queues are written. Waits for that for at most `limit`.
    pub(super) async fn close(&self, limit: Duration) {
        for pair in self.list().active.values() {
            pair.close();
        }
        self.until(limit, || self.list().active.is_empty()).await;
    }

    /// Writes a pair's stanzas until its queue is empty.
    async fn run(self: Arc<Self>, pair: Arc<Pair>) {
        loop {
            pair.pause().await;
            if pair.has_waiting() {
                match self.dial(&pair).await {
                    Ok(link) => pair.carry(link, self.idle, &self.moved).await,
                    Err(error) => {
                        pair.refuse(&error).await;
                        self.moved.notify_waiters();
                        // What came meanwhile is not worth another attempt.
                        while !self.remove(&pair) {
                            pair.refuse(&error).await;
                        }
                        return;
                    }
                }
            }
            if self.remove(&pair) {
                return;
            }
        }
    }

    /// Opens the stream of a pair, when it is the turn of those whose stanzas wait. Failures are
    /// remembered.
    async fn dial(&self, pair: &Pair) -> Result<Link, StanzaError> {
        let stopping = || StanzaError::remote_server_timeout().text("this server is stopping");
        let permits = self.permit(pair).await.ok_or_else(stopping)?;
        let (host, place) = (pair.host.host(), Arc::clone(&pair.place));
        let dialed = self.dialer.dial(host, &pair.remote, Purpose::Stanzas, place).await;
        drop(permits);
        let key = || (host.name().into(), pair.remote.clone());
        match dialed {
            Ok(link) => {
                self.list().failures.remove(&key());
                Ok(link)
            }
            Err(NoStream { told, reason }) => {
                tracing::info!(from = host.name(), to = %pair.remote, reason, "the server was not reached");
                self.list().remember(key(), &told, Instant::now());
                Err(told)
            }
        }
    }

    /// Waits until a server may be connected to, for any of those whose stanzas wait for it. `None`
    /// if the pair is closed before.
    async fn permit(&self, pair: &Pair) -> Option<[Permit; 2]> {
        let mut asked: Vec<Arc<Payer>> = Vec::new();
        let mut waiting = JoinSet::new();
        let own = loop {
            let changed = pair.changed.notified();
            if pair.is_closing() {
                return None;
            }
            for payer in pair.payers() {
                if !asked.contains(&payer) {
                    waiting.spawn(payer.dial());
                    asked.push(payer);
                }
            }
            tokio::select! {
                // Waiting does not panic.
                Some(Ok(permit)) = waiting.join_next() => break permit,
                () = changed => {}
            }
        };
        drop(waiting);
        let mut all = std::pin::pin!(self.payers.dial());
        loop {
            let changed = pair.changed.notified();
            if pair.is_closing() {
                return None;
            }
            tokio::select! {
                all = &mut all => return Some([own, all]),
                () = changed => {}
            }
        }
    }

    /// Removes a pair from the list if its queue is empty.
    fn remove(&self, pair: &Arc<Pair>) -> bool {
        let mut list = self.list();
        let is_over = pair.finish();
        if is_over
            && let Entry::Occupied(entry) =
                list.active.entry((pair.host.name().into(), pair.remote.clone()))
            && Arc::ptr_eq(entry.get(), pair)
        {
            entry.remove();
        }
        is_over
    }

    async fn until(&self, limit: Duration, is_so: impl Fn() -> bool) {
        let wait = async {
            loop {
                let moved = self.moved.notified();
                if is_so() {
                    return;
                }
                moved.await;
            }
        };
        if timeout(limit, wait).await.is_err() {
            tracing::warn!("stanzas to other servers were not confirmed in time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failures_are_remembered_longer_each_time() {
        let mut list = List::default();
        let key = || ("a.example".into(), "b.example".into());
        let error = StanzaError::remote_server_not_found().text("gone");
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert!(list.remembered(&key()).is_none());
            list.remember(key(), &error, Instant::now());
            assert!(list.remembered(&key()).is_some());
            tokio::time::advance(Duration::from_millis(wait * 1000 - 1)).await;
            assert_eq!(list.remembered(&key()).unwrap().to_string(), error.to_string(), "{wait}");
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_failures_are_remembered_than_there_is_room_for() {
        let mut list = List::default();
        let fail = |list: &mut List, number: usize| {
            let key = ("a.example".into(), number.to_string().into());
            list.remember(key, &StanzaError::remote_server_timeout(), Instant::now());
        };
        (0..2 * MAX_FAILURES).for_each(|number| fail(&mut list, number));
        assert_eq!(list.failures.len(), MAX_FAILURES);
        // Failures that are over give way.
        tokio::time::advance(REMEMBERED.0).await;
        fail(&mut list, 2 * MAX_FAILURES);
        assert_eq!(list.failures.len(), 1);
    }
}
