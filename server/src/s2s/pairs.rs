//! All pairs of one of our domains and one elsewhere that have something under way.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use event_core::{Host, StanzaError};
use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::Notify, time::timeout};

use super::{
    dial::{Dialer, Purpose},
    pair::Pair,
    queue::{Bounds, Queue},
};
use crate::config::S2s;

/// Pairs of domains that may have something under way at a time.
const MAX_PAIRS: usize = 10_000;

/// The pairs of domains that have something under way, and what they share.
#[derive(Debug)]
pub(super) struct Pairs {
    pub(super) dialer: Dialer,
    bounds: Bounds,
    /// A stream that was not used for so long is closed.
    idle: Duration,
    list: Mutex<List>,
    /// Told whenever a pair has moved on.
    moved: Notify,
}

type List = HashMap<(Box<str>, Box<str>), Arc<Pair>>;

impl Pairs {
    pub(super) fn new(config: &S2s) -> Self {
        Self {
            dialer: Dialer::new(config),
            bounds: Bounds { stanzas: config.queue_stanzas, bytes: config.queue_bytes },
            idle: Duration::from_secs(config.idle_seconds),
            list: Mutex::default(),
            moved: Notify::new(),
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock()
    }

    /// The pairs of domains that have something under way, and how many stanzas wait for them or
    /// may not have arrived.
    pub(super) fn queued(&self) -> (usize, usize) {
        let pairs = self.list();
        (pairs.len(), pairs.values().map(|pair| pair.queued()).sum())
    }

    /// The queue of a pair, made when there is none.
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
            return Err(StanzaError::resource_constraint().text("too many servers are written to"));
        }
        let pair = Arc::new(Pair::new(Arc::clone(host), remote, Queue::new(self.bounds)));
        pairs.insert(key, Arc::clone(&pair));
        tokio::spawn(Arc::clone(self).run(Arc::clone(&pair)));
        Ok(pair)
    }

    /// The other server has shown that it is there.
    pub(super) fn reset_backoff(&self, remote: &str) {
        let pairs = self.list();
        pairs
            .iter()
            .filter(|((_, to), _)| **to == *remote)
            .for_each(|(_, pair)| pair.reset_backoff());
    }

    /// Waits until all that was taken has arrived, at most for `limit`.
    pub(super) async fn settle(&self, limit: Duration) {
        self.until(limit, || self.list().values().all(|pair| pair.is_settled())).await;
    }

    /// Closes all streams when what waits is written, and waits for that, at most for `limit`.
    pub(super) async fn close(&self, limit: Duration) {
        for pair in self.list().values() {
            pair.close();
        }
        self.until(limit, || self.list().is_empty()).await;
    }

    /// Carries the stanzas of a pair until there are none.
    async fn run(self: Arc<Self>, pair: Arc<Pair>) {
        loop {
            pair.pause().await;
            if pair.has_waiting() {
                match self.dialer.dial(&pair.host, &pair.remote, Purpose::Stanzas).await {
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

    /// Takes a pair out of the list when it has nothing to do.
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
            tracing::warn!("not all that goes to other servers was settled in time");
        }
    }
}
