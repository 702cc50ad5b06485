//! The state that all streams share, and the list of open streams.

use std::{
    collections::HashSet,
    hash::{Hash, Hasher},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use event_core::{Core, Host, SessionKind, StreamError, random_id};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    budget::{Budget, BudgetShare},
    handshakes::Handshakes,
    header,
    traffic::{STREAMS, Traffic},
    wire::{Opening, Wire},
};
use crate::{
    config::{Config, Limits},
    tls::Tls,
};

/// The state that all streams share.
#[derive(Debug)]
pub struct Streams {
    pub(super) core: Arc<Core>,
    pub(super) settings: ArcSwap<Settings>,
    pub(super) budget: Arc<Budget>,
    open: Mutex<HashSet<OpenStream>>,
    pub(super) handshakes: Arc<Handshakes>,
    pub(crate) traffic: Traffic,
    /// Notified when a stream has ended.
    ended: Notify,
}

/// The configuration of streams. A connection keeps the limits it began with; hosts and
/// certificates are always the current ones.
#[derive(Debug)]
pub struct Settings {
    tls: Arc<Tls>,
    pub(super) limits: Limits,
    /// The domains that clients may open streams to.
    pub(super) hosts: HashSet<String>,
}

impl Settings {
    /// The settings of a config, with its certificates.
    pub fn new(config: &Config, tls: Tls) -> Self {
        Self {
            tls: Arc::new(tls),
            limits: config.limits.clone(),
            hosts: config.host.keys().cloned().collect(),
        }
    }
}

impl Streams {
    /// Streams to the hosts of a core.
    pub fn new(core: Arc<Core>, settings: Settings) -> Self {
        Self {
            core,
            budget: Arc::new(Budget::new(&settings.limits)),
            settings: ArcSwap::from_pointee(settings),
            open: Mutex::default(),
            handshakes: Arc::default(),
            traffic: Traffic::default(),
            ended: Notify::new(),
        }
    }

    /// The core that handles what streams receive.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Replaces the settings. New limits apply to connections that begin from now on.
    pub fn configure(&self, settings: Settings) {
        self.budget.set(&settings.limits);
        self.settings.store(Arc::new(settings));
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The certificates and TLS configurations.
    pub fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.settings.load().tls)
    }

    /// The header and error for a connection that is refused.
    pub(crate) fn refusal(&self, kind: SessionKind, error: &StreamError) -> String {
        let header = header::answer(kind, None, &random_id(), None);
        format!("{header}{}</stream:stream>", error.to_xml())
    }

    pub(super) fn wire(
        &self,
        kind: SessionKind,
        peer: SocketAddr,
        opening: Opening,
        starttls: bool,
    ) -> Arc<Wire> {
        let limits = &self.settings.load().limits;
        let unread_seconds = limits.unread_seconds;
        let max = match kind {
            SessionKind::Client => limits.queue_bytes,
            _ => limits.server_queue_bytes,
        };
        let share = BudgetShare::of(&self.budget);
        Arc::new(Wire::new(
            kind,
            peer.ip().to_canonical(),
            (max, unread_seconds),
            share,
            opening,
            starttls,
        ))
    }

    /// Ends the streams of a host with an error.
    pub fn close_host(&self, host: &Arc<Host>, error: &StreamError) {
        let wires: Vec<_> = self.open().iter().cloned().collect();
        for OpenStream(wire) in wires.iter().filter(|OpenStream(wire)| wire.is_of(host)) {
            wire.close(Some(error.clone()));
        }
    }

    /// The number of open connections.
    pub fn count(&self) -> usize {
        self.open().len()
    }

    /// The connections of each kind in [`STREAMS`], and the bytes that wait to be written to them.
    pub(crate) fn queued(&self) -> [(usize, usize); STREAMS.len()] {
        let mut all = [(0, 0); STREAMS.len()];
        for OpenStream(wire) in &*self.open() {
            let place = STREAMS.iter().zip(&mut all).find(|((kind, _), _)| *kind == wire.kind);
            if let Some((_, (count, bytes))) = place {
                *count += 1;
                *bytes += wire.queued();
            }
        }
        all
    }

    /// Ends all streams with an error and waits for their end, for at most `limit`.
    pub async fn close_all(&self, error: StreamError, limit: Duration) {
        self.close_those(|_| true, &error, limit).await;
    }

    /// As [`Streams::close_all`], for the streams of one kind.
    pub async fn close_kind(&self, kind: SessionKind, error: &StreamError, limit: Duration) {
        self.close_those(|wire| wire.kind == kind, error, limit).await;
    }

    async fn close_those(
        &self,
        is_meant: impl Fn(&Wire) -> bool,
        error: &StreamError,
        limit: Duration,
    ) {
        let meant = || {
            let open = self.open();
            open.iter().filter(|OpenStream(wire)| is_meant(wire)).cloned().collect::<Vec<_>>()
        };
        for OpenStream(wire) in meant() {
            wire.close(Some(error.clone()));
        }
        let ended = async {
            loop {
                let notified = self.ended.notified();
                if meant().is_empty() {
                    break;
                }
                notified.await;
            }
        };
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!(streams = meant().len(), "streams did not close in time");
        }
    }

    pub(super) fn open(&self) -> parking_lot::MutexGuard<'_, HashSet<OpenStream>> {
        self.open.lock()
    }
}

/// The writing side of an open stream, compared by address.
// A set of these takes half the memory of a map with numbers as keys.
#[derive(Debug, Clone)]
pub(super) struct OpenStream(pub(super) Arc<Wire>);

impl PartialEq for OpenStream {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OpenStream {}

impl Hash for OpenStream {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// Keeps a connection in the list until it is dropped.
pub(super) struct Registration {
    streams: Arc<Streams>,
    wire: OpenStream,
}

impl Registration {
    pub(super) fn new(streams: &Arc<Streams>, wire: &Arc<Wire>) -> Self {
        let wire = OpenStream(Arc::clone(wire));
        streams.open().insert(wire.clone());
        Self { streams: Arc::clone(streams), wire }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.streams.open().remove(&self.wire);
        self.wire.0.mark_gone();
        self.streams.ended.notify_waiters();
    }
}
