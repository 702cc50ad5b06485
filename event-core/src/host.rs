//! A host: a domain served here, its sessions, its modules and its dispatch table.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use arc_swap::ArcSwap;
use jid::{BareJid, DomainPart, FullJid, Jid, ResourcePart};
use tokio::sync::Notify;

use crate::{
    Core, Flow, Secret, Session, SessionState, Sessions, StanzaError, StreamError,
    dispatch::Verdict,
    event::{Event, Fire, Fired, Payload, Scope},
    events,
    flow::Outcome,
    provided::Provided,
    query::{IntoStanza, QueryError},
    reload::Started,
    sessions::NotAdded,
    stanza::Iq,
    start::StartError,
    storage::{Schema, StorageResult, Store, Write},
    table::{HostTable, Table},
    xml::Element,
};

/// What the configuration says of a host, beside its modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostSettings {
    /// Accounts with the role of an admin.
    pub admins: Vec<BareJid>,
    /// The SASL mechanisms to offer, when not all.
    pub sasl: Option<Vec<String>>,
    /// Whether clients may authenticate without TLS; for tests on loopback.
    pub allow_plaintext: bool,
    /// What an external component proves itself with (XEP-0114), where one serves the host.
    pub secret: Option<Secret>,
    /// How many resources an account may have bound at a time, when not [`Host::MAX_RESOURCES`].
    pub max_resources: Option<usize>,
    /// How many failed attempts to authenticate close a stream, when the configuration says so.
    pub authentication_attempts: Option<u32>,
}

impl HostSettings {
    /// The keys of the configuration whose values differ.
    pub(crate) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let keys = [
            ("admins", self.admins == other.admins),
            ("sasl", self.sasl == other.sasl),
            ("allow_plaintext", self.allow_plaintext == other.allow_plaintext),
            ("sessions_per_account", self.max_resources == other.max_resources),
            (
                "authentication_attempts",
                self.authentication_attempts == other.authentication_attempts,
            ),
        ];
        keys.into_iter().filter(|(_, is_same)| !is_same).map(|(key, _)| key).collect()
    }
}

/// What somebody is to a host; who is more may do more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Anybody.
    Guest,
    /// An account of the host.
    User,
    /// Listed under `admins`.
    Admin,
}

/// Something that not everybody may do. A module declares its own.
///
/// ```
/// # use event_core::{Action, host::Role};
/// const ANNOUNCE: Action = Action::new("announce", Role::Admin);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// Who may do it.
    pub role: Role,
}

impl Action {
    /// An action that needs at least `role`.
    pub const fn new(name: &'static str, role: Role) -> Self {
        Self { name, role }
    }
}

/// A domain served here.
pub struct Host {
    name: DomainPart,
    jid: Jid,
    core: Weak<Core>,
    settings: ArcSwap<HostSettings>,
    table: ArcSwap<HostTable>,
    running: Mutex<Vec<Arc<Started>>>,
    sessions: Sessions,
    services: Provided,
    is_gone: AtomicBool,
    /// Told when the last session of a host that is gone has ended.
    emptied: Notify,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Host({})", self.name)
    }
}

impl Host {
    /// How long [`Context::query`](crate::Context::query) waits.
    pub const QUERY_TIMEOUT: Duration = Duration::from_secs(60);

    /// How many resources an account may have bound at a time, unless the settings say otherwise.
    pub const MAX_RESOURCES: usize = 64;

    pub(crate) fn new(name: DomainPart, settings: HostSettings, core: Weak<Core>) -> Self {
        Self {
            jid: Jid::from(BareJid::from_parts(None, &name)),
            name,
            core,
            settings: ArcSwap::from_pointee(settings),
            table: ArcSwap::from_pointee(HostTable::empty()),
            running: Mutex::default(),
            sessions: Sessions::new(),
            services: Provided::default(),
            is_gone: AtomicBool::new(false),
            emptied: Notify::new(),
        }
    }

    /// The domain.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The domain as a JID.
    pub fn jid(&self) -> &Jid {
        &self.jid
    }

    /// What the configuration says of it. A reload may change it: ask each time.
    pub fn settings(&self) -> Arc<HostSettings> {
        self.settings.load_full()
    }

    /// Whether a reload has removed it: what is under way still ends here, nothing new begins.
    pub fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }

    pub(crate) fn leave(&self) {
        self.is_gone.store(true, Ordering::SeqCst);
    }

    /// Waits until a host that is gone has no session.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.sessions.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    pub(crate) fn configure(&self, settings: HostSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// Its bound sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The server it is part of.
    ///
    /// # Panics
    /// When the server was dropped, which ends its hosts first.
    #[expect(clippy::expect_used, reason = "the server owns its hosts and outlives them")]
    pub fn core(&self) -> Arc<Core> {
        self.try_core().expect("a host lives no longer than its server")
    }

    /// The server, unless it was dropped: what outlives it must not panic, least of all in a
    /// `drop`.
    pub(crate) fn try_core(&self) -> Option<Arc<Core>> {
        self.core.upgrade()
    }

    /// The account of a username on this host, if it is one.
    pub fn account(&self, username: &str) -> Option<BareJid> {
        let node = jid::NodePart::new(username).ok()?;
        Some(BareJid::from_parts(Some(&node), &self.name))
    }

    /// What `jid` is to this host.
    pub fn role(&self, jid: &Jid) -> Role {
        let bare = jid.to_bare();
        if self.settings.load().admins.contains(&bare) {
            Role::Admin
        } else if bare.node().is_some() && bare.domain().as_str() == self.name() {
            Role::User
        } else {
            Role::Guest
        }
    }

    /// Offers a service to other modules, under its trait. What a module provides from its
    /// [`start`](crate::ModuleState::start) is offered as long as it runs; while modules start,
    /// one sees what those before it provide.
    pub fn provide<S: ?Sized + Send + Sync + 'static>(&self, service: Arc<S>) {
        self.services.provide(service);
    }

    /// A service that a module or the server offers on this host.
    pub fn service<S: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<S>> {
        self.services.get()
    }

    pub(crate) fn services(&self) -> &Provided {
        &self.services
    }

    /// Opens a store that a module keeps on this host, in its [`ModuleState::start`]: older data is
    /// migrated first.
    ///
    /// # Errors
    /// The data is newer than the schema, cannot be migrated, or storage fails.
    ///
    /// [`ModuleState::start`]: crate::ModuleState::start
    pub async fn store(&self, schema: &'static Schema) -> Result<Store, StartError> {
        let core = self.core();
        let opened = core.storage().open(schema).await;
        opened.map_err(|error| StartError::Other(error.to_string()))?;
        Ok(Store::new(Arc::clone(core.storage()), self.name(), schema.store, core.clock()))
    }

    /// Writes to any number of stores, all or nothing. Says whether a write that deletes found
    /// anything.
    ///
    /// # Errors
    /// What one of the writes fails with, or storage fails.
    pub async fn transact(&self, batch: Vec<Write>) -> StorageResult<bool> {
        self.core().storage().write(batch).await
    }

    /// Names of the modules that run here, and the features they announce.
    pub fn features(&self) -> Vec<&'static str> {
        let table = self.table.load();
        let mut features: Vec<_> =
            table.modules().iter().flat_map(|info| info.features).copied().collect();
        features.sort_unstable();
        features.dedup();
        features
    }

    pub(crate) fn table(&self) -> Table {
        self.table.load()
    }

    /// Swaps the table; gives the one it replaces.
    pub(crate) fn publish(&self, table: HostTable) -> Arc<HostTable> {
        self.table.swap(Arc::new(table))
    }

    /// The modules that run, in the order of the configuration.
    pub(crate) fn running(&self) -> Vec<Arc<Started>> {
        self.running.lock().clone()
    }

    /// Notes which modules run, and offers their services.
    pub(crate) fn runs(&self, modules: Vec<Arc<Started>>) {
        self.services.publish(modules.iter().map(|module| &module.services));
        *self.running.lock() = modules;
    }

    /// Takes the modules out of the table and stops them, the last first. Handlers hold their
    /// contexts, and those the host: left in the table, nothing of it would ever be freed.
    pub(crate) async fn stop(&self) {
        self.publish(HostTable::empty());
        let running = self.running();
        self.runs(Vec::new());
        for module in running.iter().rev() {
            module.stop(self.name()).await;
        }
    }

    /// See [`Context::send`](crate::Context::send).
    pub fn send(self: &Arc<Self>, stanza: impl IntoStanza) {
        match stanza.into_stanza() {
            Ok(stanza) => crate::router::send(self, stanza),
            Err(error) => tracing::error!(%error, host = self.name(), "a stanza could not be sent"),
        }
    }

    /// See [`Context::send_to`](crate::Context::send_to).
    pub fn send_to(
        self: &Arc<Self>,
        stanza: &Element,
        to: impl IntoIterator<Item = impl Into<Jid>>,
    ) {
        let to = to.into_iter().map(Into::into).collect();
        crate::router::send_to(self, stanza.clone(), to);
    }

    /// See [`Context::deliver`](crate::Context::deliver).
    pub fn deliver(&self, to: &FullJid, stanza: impl IntoStanza) -> bool {
        let session = self.try_core().and_then(|core| core.find(to));
        let Some(session) = session else { return false };
        match stanza.into_stanza() {
            Ok(stanza) => session.send(&stanza),
            Err(error) => {
                tracing::error!(%error, host = self.name(), "a stanza could not be delivered");
                false
            }
        }
    }

    /// See [`Context::query`](crate::Context::query).
    ///
    /// # Errors
    /// The other side answered with an error, did not answer in time, or cannot be reached.
    pub async fn query(self: &Arc<Self>, iq: impl IntoStanza) -> Result<Iq, QueryError> {
        crate::query::query(self, iq.into_stanza()?).await
    }

    /// See [`Context::fire`](crate::Context::fire).
    pub async fn fire<'p, E: Fire<'p>>(&self, mut event: E) -> Fired<E> {
        let verdict = self.fire_with::<E>(event.payload()).await;
        let flow = if verdict.is_none() { Flow::Continue } else { Flow::Handled };
        let error = match verdict.map(|verdict| verdict.outcome) {
            Some(Outcome::Error(error)) => Some(*error),
            Some(Outcome::Panicked) => Some(StanzaError::internal_server_error()),
            _ => None,
        };
        Fired { event, flow, error }
    }

    /// Fires an event whose payload is a stanza, such as `message/offline/handle`.
    ///
    /// # Errors
    /// A handler refused with it.
    pub async fn fire_stanza<E: Event>(
        &self,
        payload: &mut <E::Payload as Payload>::Of<'_>,
    ) -> Result<Flow, StanzaError> {
        let Some(verdict) = self.fire_with::<E>(payload).await else { return Ok(Flow::Continue) };
        match verdict.outcome {
            Outcome::Continue => Ok(Flow::Continue),
            Outcome::Error(error) => Err(*error),
            Outcome::Panicked => Err(StanzaError::internal_server_error()),
            Outcome::Handled | Outcome::Reply(_) | Outcome::Stream(_) => Ok(Flow::Handled),
        }
    }

    pub(crate) async fn fire_with<E: Event>(
        &self,
        payload: &mut <E::Payload as Payload>::Of<'_>,
    ) -> Option<Verdict> {
        if E::INFO.scope == Scope::Global {
            return self.core().fire_global::<E>(payload).await;
        }
        let table = self.table.load_full();
        self.core().fire_nested(table.chain::<E::Payload>(E::id()), payload).await
    }

    /// See [`Session::bind`].
    pub(crate) async fn bind<'s>(
        &self,
        session: &'s Session,
        resource: Option<&str>,
    ) -> Result<&'s FullJid, StanzaError> {
        let user = session.user().ok_or_else(StanzaError::not_authorized)?;
        if session.jid().is_some() {
            return Err(StanzaError::not_allowed().text("a resource is bound already"));
        }
        let asked = events::PreResourceBind {
            session: session.clone(),
            resource: resource.map(Into::into),
            error: None,
        };
        let Fired { event: asked, flow, .. } = self.fire(asked).await;
        if flow == Flow::Handled {
            return Err(asked.error.unwrap_or_else(StanzaError::not_allowed));
        }
        let resource = match asked.resource.as_deref().filter(|resource| !resource.is_empty()) {
            Some(asked) => ResourcePart::new(asked)
                .map_err(|error| StanzaError::bad_request().text(error.to_string()))?
                .into_owned(),
            None => ResourcePart::new(&crate::random_id())
                .map_err(|_| StanzaError::internal_server_error())?
                .into_owned(),
        };
        let jid = user.with_resource(&resource);
        let limit = self.settings.load().max_resources.unwrap_or(Self::MAX_RESOURCES);
        match self.sessions.add(session, jid, limit) {
            Err(NotAdded::TooMany) => {
                return Err(StanzaError::resource_constraint().text("too many resources are bound"));
            }
            Err(NotAdded::BoundAlready) => {
                return Err(StanzaError::not_allowed().text("a resource is bound already"));
            }
            Err(NotAdded::Ended) => {
                return Err(StanzaError::not_allowed().text("the session has ended"));
            }
            Ok(Some(other)) => {
                // RFC 6120 §7.7.2.2: the newer session wins.
                self.core().end(&other, Some("replaced by a new session")).await;
                other.close(StreamError::conflict().text("replaced by a new session"));
            }
            Ok(None) => {}
        }
        // A reload that removes the host either sees the session or is seen here.
        if self.is_gone() {
            session.advance(SessionState::Ended);
            self.forget(session);
            return Err(StanzaError::service_unavailable().text("the host is gone"));
        }
        self.fire(events::ResourceBind { session: session.clone() }).await;
        session.jid().ok_or_else(StanzaError::internal_server_error)
    }

    /// Takes a session that has ended out of the registry; `false` when it never had a resource.
    pub(crate) fn forget(&self, session: &Session) -> bool {
        self.sessions.remove(session);
        if self.is_gone() && self.sessions.is_empty() {
            self.emptied.notify_waiters();
        }
        session.jid().is_some()
    }
}
