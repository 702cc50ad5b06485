//! The state of a server: the hosts with their tables, the queries, the storage and the clock.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use jid::FullJid;
use tokio::sync::mpsc;
use tracing::level_filters::LevelFilter;

use crate::{
    dispatch::{chain::Stop, outcome::Outcome},
    events::info::EventInfo,
    host::host::Host,
    module::info::ModuleInfo,
    routing::{
        chain_stop::{ChainStop, StopKind},
        outgoing::{MAX_BACKGROUND, Outgoing},
        queries::Queries,
        served::{Hosts, Table},
    },
    session::session::Session,
    storage::Storage,
    util::clock::Clock,
};

/// A server without its sockets: its hosts, their sessions and their dispatch tables. A
/// [`Runtime`](crate::Runtime) starts, reloads and stops the modules.
pub struct Core {
    pub(crate) hosts: ArcSwap<Hosts>,
    queries: Queries,
    background: mpsc::Sender<Outgoing>,
    storage: Arc<dyn Storage>,
    clock: Clock,
    stop_watcher: OnceLock<StopWatcher>,
    undeclared_watcher: OnceLock<UndeclaredWatcher>,
}

type StopWatcher = Box<dyn Fn(ChainStop) + Send + Sync>;
type UndeclaredWatcher = Box<dyn Fn(&ModuleInfo, &EventInfo) + Send + Sync>;

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("hosts", &self.hosts()).finish_non_exhaustive()
    }
}

impl Core {
    /// Makes a core without hosts, and the receiving end of the queue for stanzas sent outside of
    /// any turn.
    pub(crate) fn new(storage: Arc<dyn Storage>) -> (Self, mpsc::Receiver<Outgoing>) {
        let (background, queue) = mpsc::channel(MAX_BACKGROUND);
        let core = Self {
            hosts: ArcSwap::default(),
            queries: Queries::default(),
            background,
            storage,
            clock: Clock::start(),
            stop_watcher: OnceLock::new(),
            undeclared_watcher: OnceLock::new(),
        };
        (core, queue)
    }

    /// The host of a domain.
    pub fn host(&self, domain: &str) -> Option<Arc<Host>> {
        self.hosts.load().find(domain).cloned()
    }

    /// All hosts, in the order of the configuration.
    pub fn hosts(&self) -> Vec<Arc<Host>> {
        self.hosts.load().in_order().to_vec()
    }

    /// The session of a full JID on any host.
    pub fn find(&self, jid: &FullJid) -> Option<Session> {
        self.hosts.load().find(jid.domain().as_str())?.sessions().find(jid)
    }

    /// The features that the modules of a host announce (XEP-0030), sorted.
    pub fn features(&self, host: &Host) -> Vec<&'static str> {
        let table = self.table(host);
        let mut features: Vec<_> =
            table.modules().iter().flat_map(|info| info.features).copied().collect();
        features.sort_unstable();
        features.dedup();
        features
    }

    /// The storage of all hosts.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The time of day: the system time at the server's start plus [`Core::uptime`].
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The time since the server's start by the clock of tokio, which tests can advance.
    pub fn uptime(&self) -> Duration {
        self.clock.elapsed()
    }

    /// The number of stanzas sent outside of any turn that are not routed yet.
    pub fn queued_stanzas(&self) -> usize {
        self.background.max_capacity() - self.background.capacity()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) fn queries(&self) -> &Queries {
        &self.queries
    }

    pub(crate) fn background(&self) -> &mpsc::Sender<Outgoing> {
        &self.background
    }

    /// The dispatch table of a host.
    #[inline]
    pub(crate) fn table(&self, host: &Host) -> Table {
        Table::Borrowed(self.hosts.load(), host.slot())
    }

    /// The dispatch table of the host that serves a domain.
    pub(crate) fn table_of_domain(&self, domain: &str) -> Option<Table> {
        let hosts = self.hosts.load();
        let slot = hosts.slot_of(domain)?;
        Some(Table::Borrowed(hosts, slot))
    }

    /// Calls `watch` whenever a handler stops a chain; for tests and traces. Only the first
    /// watcher is kept.
    pub fn on_stop(&self, watch: impl Fn(ChainStop) + Send + Sync + 'static) {
        // Documented above: a second watcher is not kept.
        let _ = self.stop_watcher.set(Box::new(watch));
    }

    /// Calls `watch` whenever a module fires an event that its `#[module]` does not name; for tests.
    /// Only the first watcher is kept.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn on_undeclared(
        &self,
        watch: impl Fn(&ModuleInfo, &EventInfo) + Send + Sync + 'static,
    ) {
        // Documented above: a second watcher is not kept.
        let _ = self.undeclared_watcher.set(Box::new(watch));
    }

    /// Tells the watcher, if there is one, when a module fires an event without saying so.
    pub(crate) fn watch_fire(&self, module: Option<&ModuleInfo>, event: &EventInfo) {
        if let Some(watch) = self.undeclared_watcher.get()
            && let Some(module) = module.filter(|module| !module.declares(event.name))
        {
            watch(module, event);
        }
    }

    /// Traces which handler stopped a chain, and calls the watcher. Without a tracer and a watcher,
    /// this takes two loads.
    #[inline]
    pub(crate) fn report_stop(&self, stop: &Stop) {
        if LevelFilter::current() == LevelFilter::TRACE || self.stop_watcher.get().is_some() {
            self.report_watched_stop(stop);
        }
    }

    #[cold]
    fn report_watched_stop(&self, stop: &Stop) {
        let Some(by) = stop.by else { return };
        let kind = match stop.outcome {
            Outcome::Continue => return,
            Outcome::Handled => StopKind::Handled,
            Outcome::Reply(_) => StopKind::Replied,
            Outcome::Error(_) => StopKind::Refused,
            Outcome::Stream(_) => StopKind::ClosedStream,
            Outcome::Panicked => StopKind::Panicked,
        };
        tracing::trace!(handler = by.id(), event = by.event, ?kind, "a handler stopped the chain");
        if let Some(watch) = self.stop_watcher.get() {
            watch(ChainStop { handler: by.id(), event: by.event, kind });
        }
    }
}
