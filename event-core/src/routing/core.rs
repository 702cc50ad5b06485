//! The server without its sockets: hosts, their modules, and the events of its life.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use hashbrown::HashMap;
use jid::{DomainPart, FullJid};
use parking_lot::Mutex;
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    dispatch::{
        chain::{Chain, Verdict},
        outcome::Outcome,
        table::{Table, global::GlobalTable},
    },
    events::{
        self,
        traits::{Event, Payload},
    },
    host::{host::Host, settings::HostConfig},
    module::{
        registry::{LinkedModule, Registry},
        start_error::StartError,
    },
    protocol::stanza_error::StanzaError,
    routing::{
        background::background,
        decision::{Decision, DecisionKind},
        outbox::{MAX_BACKGROUND, Outgoing, deeper, turns},
        queries::Queries,
    },
    runtime::{lifecycle::check_modules, reload::publish::undo},
    session::{
        session::{Session, SessionState},
        stream::SessionKind,
    },
    storage::Storage,
    util::clock::Clock,
};

/// A server that has no sockets yet.
pub struct Core {
    registry: Registry,
    pub(crate) hosts: ArcSwap<Hosts>,
    pub(crate) global: ArcSwap<GlobalTable>,
    /// Held by the reload that is under way.
    pub(crate) reloading: tokio::sync::Mutex<()>,
    /// What a reload took away and has not ended.
    pub(crate) endings: Mutex<JoinSet<()>>,
    queries: Queries,
    background: mpsc::Sender<Outgoing>,
    storage: Arc<dyn Storage>,
    clock: Clock,
    watch: OnceLock<Watch>,
}

/// How long the server's stop waits for what a reload took away.
const ENDINGS: Duration = Duration::from_secs(5);

/// The hosts of a server.
#[derive(Default)]
pub(crate) struct Hosts {
    by_name: HashMap<Box<str>, Arc<Host>>,
    /// In the order of the configuration.
    order: Vec<Arc<Host>>,
}

type Watch = Box<dyn Fn(Decision) + Send + Sync>;

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("hosts", &self.hosts()).finish_non_exhaustive()
    }
}

impl Core {
    /// Makes the hosts, starts their modules and fires `server-starting`. `prepare` is called for
    /// each host before its modules start, to provide the services they need.
    ///
    /// # Errors
    /// A module that is not linked, whose options are wrong, or that does not start; a host that
    /// is not a domain.
    pub async fn start(
        registry: Registry,
        hosts: Vec<HostConfig>,
        storage: Arc<dyn Storage>,
        prepare: impl Fn(&Arc<Host>),
    ) -> Result<Arc<Self>, StartError> {
        for module in registry.unlisted() {
            tracing::warn!(
                module = module.name,
                "its crate is linked but the binary does not list it: it never runs"
            );
        }
        let core = Self::load(registry, hosts, storage, prepare).await?;
        turns(async {
            core.fire_global::<events::ServerStarting>(&mut events::ServerStarting {}).await;
            core.drain().await;
        })
        .await;
        Ok(core)
    }

    /// As [`Core::start`], but without any event: to look at the hosts, not to run them.
    ///
    /// # Errors
    /// As [`Core::start`].
    pub async fn load(
        registry: Registry,
        hosts: Vec<HostConfig>,
        storage: Arc<dyn Storage>,
        prepare: impl Fn(&Arc<Host>),
    ) -> Result<Arc<Self>, StartError> {
        let (sender, queue) = mpsc::channel(MAX_BACKGROUND);
        let core = Arc::new(Self {
            registry,
            hosts: ArcSwap::default(),
            global: ArcSwap::from_pointee(GlobalTable::build(&[])),
            reloading: tokio::sync::Mutex::default(),
            endings: Mutex::default(),
            queries: Queries::default(),
            background: sender,
            storage,
            clock: Clock::start(),
            watch: OnceLock::new(),
        });
        let ready = core.check(hosts)?;
        tokio::spawn(background(Arc::downgrade(&core), queue));
        let mut started = Vec::new();
        let planned = core.plan_all(&ready, prepare, None, &mut started).await;
        match planned.and_then(|plans| Ok((core.tables(&plans)?, plans))) {
            Ok((tables, plans)) => core.publish(plans, tables),
            Err(error) => {
                undo(started).await;
                return Err(error);
            }
        };
        Ok(core)
    }

    /// What can be told of hosts and their modules before one starts.
    pub(crate) fn check(
        &self,
        hosts: Vec<HostConfig>,
    ) -> Result<Vec<(DomainPart, HostConfig)>, StartError> {
        let mut ready: Vec<(DomainPart, HostConfig)> = Vec::with_capacity(hosts.len());
        for config in hosts {
            let name = DomainPart::new(&config.name).map_err(|error| StartError::HostName {
                name: config.name.clone(),
                reason: error.to_string(),
            })?;
            if ready.iter().any(|(other, _)| other.as_str() == name.as_str()) {
                return Err(StartError::DuplicateHost { name: name.to_string() });
            }
            check_modules(&self.registry, name.as_str(), &config.modules)?;
            ready.push((name.into_owned(), config));
        }
        Ok(ready)
    }

    pub(crate) fn linked(&self, name: &str, host: &str) -> Result<&LinkedModule, StartError> {
        self.registry.module(name).ok_or_else(|| {
            StartError::unknown_module(name, format!("host `{host}`"), &self.registry)
        })
    }

    /// Stops the modules, those that started last first.
    async fn stop_modules(&self) {
        self.global.store(Arc::new(GlobalTable::build(&[])));
        for host in self.hosts().iter().rev() {
            host.stop().await;
        }
    }

    /// All listeners listen: fires `server-started`.
    pub async fn started(&self) {
        turns(async {
            self.fire_global::<events::ServerStarted>(&mut events::ServerStarted {}).await;
            self.drain().await;
        })
        .await;
    }

    /// The server is about to stop: fires `server-stopping` and waits for its handlers, at most
    /// for `limit`.
    pub async fn stopping(&self, limit: Duration) {
        let fire = turns(async {
            self.fire_global::<events::ServerStopping>(&mut events::ServerStopping {}).await;
            self.drain().await;
        });
        if tokio::time::timeout(limit, fire).await.is_err() {
            tracing::warn!(?limit, "handlers of server-stopping took too long");
        }
    }

    /// All streams are closed: stops the modules and fires `server-stopped`, the last event.
    pub async fn stopped(&self) {
        turns(async {
            self.fire_global::<events::ServerStopped>(&mut events::ServerStopped {}).await;
        })
        .await;
        self.stop_modules().await;
        let mut endings = std::mem::take(&mut *self.endings.lock());
        let ended = async { while endings.join_next().await.is_some() {} };
        if tokio::time::timeout(ENDINGS, ended).await.is_err() {
            tracing::warn!("modules that a reload took away have not stopped");
        }
    }

    /// The configuration was read again: fires `config-reloaded`.
    pub async fn reloaded(&self, mut event: events::ConfigReloaded) {
        turns(async {
            self.fire_global::<events::ConfigReloaded>(&mut event).await;
            self.drain().await;
        })
        .await;
    }

    /// What the modules measure: fires `stats-update`.
    pub async fn measure(&self) -> Vec<events::Sample> {
        let mut event = events::StatsUpdate { samples: Vec::new() };
        turns(async {
            self.fire_global::<events::StatsUpdate>(&mut event).await;
            self.drain().await;
        })
        .await;
        event.samples
    }

    /// How many stanzas wait that handlers left behind for later.
    pub fn waiting(&self) -> usize {
        self.background.max_capacity() - self.background.capacity()
    }

    /// The host of a domain.
    pub fn host(&self, domain: &str) -> Option<Arc<Host>> {
        self.hosts.load().by_name.get(domain).cloned()
    }

    /// The table of a domain's host.
    pub(crate) fn table(&self, domain: &str) -> Option<Table> {
        self.hosts.load().by_name.get(domain).map(|host| host.table())
    }

    /// All hosts, in the order of the configuration.
    pub fn hosts(&self) -> Vec<Arc<Host>> {
        self.hosts.load().order.clone()
    }

    /// The session of a full JID on any host.
    pub fn find(&self, jid: &FullJid) -> Option<Session> {
        self.hosts.load().by_name.get(jid.domain().as_str())?.sessions().find(jid)
    }

    /// What modules keep.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// The modules and events of this binary.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The time of day, by the clock of the runtime.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// How long the server has been up, whatever the time of day was set to meanwhile.
    pub fn uptime(&self) -> Duration {
        self.clock.start.elapsed()
    }

    /// A stream has ended, for the reason given if it did not end by itself. Fires
    /// `pre-resource-unbind` and, unless a module keeps the session, `resource-unbind`. Call it
    /// within [`turns`].
    pub async fn disconnected(&self, session: &Session, error: Option<&str>) {
        if session.jid().is_some() && session.state() == SessionState::Connected {
            let mut event = events::PreResourceUnbind {
                session: session.clone(),
                error: error.map(Into::into),
            };
            let verdict = session.host().fire_with::<events::PreResourceUnbind>(&mut event).await;
            if matches!(verdict, Some(Verdict { outcome: Outcome::Handled, .. })) {
                // Unless it ended meanwhile: another session may have taken its resource.
                session.advance(SessionState::Detached);
                self.drain().await;
                return;
            }
        }
        self.end(session, error).await;
        self.drain().await;
    }

    /// Ends a session for good. Fires `resource-unbind` if it had a resource, and for what a
    /// server or component had proved, `component-disconnected`, `s2sin-destroyed` or
    /// `s2sout-destroyed`.
    pub async fn end(&self, session: &Session, error: Option<&str>) {
        if !session.advance(SessionState::Ended) {
            return;
        }
        let host = session.host();
        if host.forget(session) {
            let event =
                events::ResourceUnbind { session: session.clone(), error: error.map(Into::into) };
            Box::pin(host.fire(event)).await;
        }
        for domain in session.authorized_domains() {
            let (session, error) = (session.clone(), error.map(Into::into));
            match session.kind() {
                SessionKind::Client => {}
                SessionKind::Component => {
                    Box::pin(host.fire(events::ComponentDisconnected { session, error })).await;
                }
                SessionKind::S2sIn => {
                    Box::pin(host.fire(events::S2sInDestroyed { session, domain, error })).await;
                }
                SessionKind::S2sOut => {
                    Box::pin(host.fire(events::S2sOutDestroyed { session, domain, error })).await;
                }
            }
        }
    }

    pub(crate) async fn fire_global<E: Event>(
        &self,
        payload: &mut <E::Payload as Payload>::Of<'_>,
    ) -> Option<Verdict> {
        let table = self.global.load_full();
        self.fire_nested(table.chain::<E::Payload>(E::id()), payload).await
    }

    /// Fires a chain from wherever a module or the server does, to a limited depth.
    pub(crate) async fn fire_nested<P: Payload>(
        &self,
        chain: Option<&Chain<P>>,
        payload: &mut P::Of<'_>,
    ) -> Option<Verdict> {
        let chain = chain?;
        let Some(verdict) = deeper(chain.fire(payload)).await else {
            tracing::error!(?chain, "handlers fire each other's events without end");
            return Some(Verdict {
                outcome: StanzaError::internal_server_error().into(),
                by: None,
            });
        };
        if let Some(verdict) = &verdict {
            self.decided(verdict);
        }
        verdict
    }

    pub(crate) fn queries(&self) -> &Queries {
        &self.queries
    }

    pub(crate) fn background(&self) -> &mpsc::Sender<Outgoing> {
        &self.background
    }
}

impl Core {
    /// Calls `watch` whenever a handler stops a chain; for tests and traces. Only the first
    /// watcher is kept.
    pub fn on_decision(&self, watch: impl Fn(Decision) + Send + Sync + 'static) {
        // A second watcher would be silently lost only in a test that installs two.
        let _ = self.watch.set(Box::new(watch));
    }

    pub(crate) fn decided(&self, verdict: &Verdict) {
        let Some(by) = verdict.by else { return };
        let kind = match verdict.outcome {
            Outcome::Continue => return,
            Outcome::Handled => DecisionKind::Handled,
            Outcome::Reply(_) => DecisionKind::Replied,
            Outcome::Error(_) => DecisionKind::Refused,
            Outcome::Stream(_) => DecisionKind::ClosedStream,
            Outcome::Panicked => DecisionKind::Panicked,
        };
        tracing::trace!(handler = by.id(), event = by.event, ?kind, "a handler decided");
        if let Some(watch) = self.watch.get() {
            watch(Decision { handler: by.id(), event: by.event, kind });
        }
    }
}

impl Hosts {
    pub(crate) fn new(order: Vec<Arc<Host>>) -> Self {
        let by_name = order.iter().map(|host| (host.name().into(), Arc::clone(host))).collect();
        Self { by_name, order }
    }
}
