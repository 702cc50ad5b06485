//! The list of active pairs of a local and a remote domain.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use event_core::{Core, Host, HostContext, StanzaError};
use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::Notify, time::timeout};

use super::{
    dial::{Dialer, Purpose},
    pair::Pair,
    queue::{Bounds, Queue},
};
use crate::{config::S2s, stream::Streams};

/// The maximum number of active pairs.
const MAX_PAIRS: usize = 10_000;

/// The active pairs of domains, and their common state.
#[derive(Debug)]
pub(super) struct Pairs {
    pub(super) dialer: Dialer,
    /// Set before a stanza can be sent.
    core: OnceLock<Weak<Core>>,
    bounds: Bounds,
    /// The time after which an unused stream is closed.
    idle: Duration,
    list: Mutex<List>,
    /// Notified when a pair has made progress.
    moved: Notify,
}

type List = HashMap<(Box<str>, Box<str>), Arc<Pair>>;

impl Pairs {
    pub(super) fn new(config: &S2s) -> Self {
        Self {
            dialer: Dialer::new(config),
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
        let pairs = self.list();
        (pairs.len(), pairs.values().map(|pair| pair.queued()).sum())
    }

    /// The pair of two domains. Starts a new pair if there is none.
    pub(super) fn pair(
        self: &Arc<Self>,
        host: &Arc<Host>,
        remote: &str,
    ) -> Result<Arc<Pair>, StanzaError> {
        let mut pairs = self.list();
        let key = (host.name().into(), remote.into());
        if let Some(pair) = pairs.get(&key) {
            return Ok(Arc::clone(pair));
        }
        if pairs.len() >= MAX_PAIRS {
            return Err(
                StanzaError::resource_constraint().text("stanzas wait for too many other servers")
            );
        }
        let core = self.core().ok_or_else(StanzaError::remote_server_timeout)?;
        let host = HostContext::new(&core, host);
        let pair = Arc::new(Pair::new(host, remote, Queue::new(self.bounds)));
        pairs.insert(key, Arc::clone(&pair));
        tokio::spawn(Arc::clone(self).run(Arc::clone(&pair)));
        Ok(pair)
    }

    /// Resets the backoff of the pairs to a server that is known to run.
    pub(super) fn reset_backoff(&self, remote: &str) {
        let pairs = self.list();
        pairs
            .iter()
            .filter(|((_, to), _)| **to == *remote)
            .for_each(|(_, pair)| pair.reset_backoff());
    }

    /// Waits until all accepted stanzas are confirmed, for at most `limit`.
    pub(super) async fn settle(&self, limit: Duration) {
        self.until(limit, || self.list().values().all(|pair| pair.is_settled())).await;
    }

    /// Closes all streams when their queues are written. Waits for that for at most `limit`.
    pub(super) async fn close(&self, limit: Duration) {
        for pair in self.list().values() {
            pair.close();
        }
        self.until(limit, || self.list().is_empty()).await;
    }

    /// Writes a pair's stanzas until its queue is empty.
    async fn run(self: Arc<Self>, pair: Arc<Pair>) {
        loop {
            pair.pause().await;
            if pair.has_waiting() {
                match self.dialer.dial(pair.host.host(), &pair.remote, Purpose::Stanzas).await {
                    Ok(link) => pair.carry(link, self.idle, &self.moved).await,
                    Err(error) => {
                        pair.refuse(&error).await;
                        self.moved.notify_waiters();
                    }
                }
            }
            if self.remove(&pair) {
                return;
            }
        }
    }

    /// Removes a pair from the list if its queue is empty.
    fn remove(&self, pair: &Arc<Pair>) -> bool {
        let mut list = self.list();
        let is_over = pair.finish();
        if is_over
            && let Entry::Occupied(entry) =
                list.entry((pair.host.name().into(), pair.remote.clone()))
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
