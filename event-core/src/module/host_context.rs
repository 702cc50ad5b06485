//! A handle of a host of a running server.

use std::{
    ops::Deref,
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use jid::{FullJid, Jid};
use xmpp_xml::Element;

use crate::{
    dispatch::flow::Flow,
    events::traits::{Event, Fire, Fired, Payload},
    host::host::Host,
    module::{info::ModuleInfo, start_error::StartError},
    protocol::{into_stanza::IntoStanza, iq::Iq, stanza_error::StanzaError},
    routing::{queries::QueryError, reply::AnswerLater, server_core::Core},
    session::session::Session,
    storage::{Schema, Storage, StorageResult, Store, Write},
    util::{clock::Clock, cost, future::BoxFuture, hidden::Hidden},
};

/// A handle of a host of a running server, for code without the [`Context`](crate::Context) of a
/// module: a module's [`start`](crate::ModuleState::start) and services. The handle dereferences to
/// the host.
///
/// The handle does not keep the server alive. After the end of the server, nothing is sent and
/// events reach no handlers.
#[derive(Clone)]
pub struct HostContext(Hidden<Inner>);

#[derive(Clone)]
struct Inner {
    core: Weak<Core>,
    host: Arc<Host>,
    storage: Arc<dyn Storage>,
    clock: Clock,
    /// The module that has this handle.
    module: Option<&'static ModuleInfo>,
}

impl std::fmt::Debug for HostContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostContext({})", self.0.host.name())
    }
}

impl Deref for HostContext {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.0.host
    }
}

impl HostContext {
    /// A handle of `host`, which must be a host of `core`.
    pub fn new(core: &Arc<Core>, host: &Arc<Host>) -> Self {
        Self(Hidden::new(Inner {
            core: Arc::downgrade(core),
            host: Arc::clone(host),
            storage: Arc::clone(core.storage()),
            clock: core.clock(),
            module: None,
        }))
    }

    /// The same handle for a module.
    pub(crate) fn of_module(&self, module: &'static ModuleInfo) -> Self {
        Self(Hidden::new(Inner { module: Some(module), ..(*self.0).clone() }))
    }

    /// The host.
    pub fn host(&self) -> &Arc<Host> {
        &self.0.host
    }

    /// The server; `None` after the end of the server.
    pub fn core(&self) -> Option<Arc<Core>> {
        self.0.core.upgrade()
    }

    /// A handle of another host of the same server.
    #[must_use]
    pub fn with_host(&self, host: &Arc<Host>) -> Self {
        Self(Hidden::new(Inner { host: Arc::clone(host), ..(*self.0).clone() }))
    }

    /// The host of a domain, if this server serves the domain.
    pub fn find_host(&self, domain: &str) -> Option<Arc<Host>> {
        self.core()?.host(domain)
    }

    /// The features that the modules of this host announce (XEP-0030), sorted.
    pub fn features(&self) -> Vec<&'static str> {
        self.core().map(|core| core.features(self.host())).unwrap_or_default()
    }

    /// Sends a stanza from this host. Stanzas are routed in the order of the calls, when the
    /// outermost chain has ended and before the stream's next stanza. A `from` that is not a JID of
    /// this host is replaced by the host's JID. No pre-routing event fires.
    pub fn send(&self, stanza: impl IntoStanza) {
        if let Some(core) = self.core() {
            core.send(self.host(), stanza);
        }
    }

    /// Sends a copy of a message or presence to each address, in the order of the addresses, as
    /// [`HostContext::send`] does. The stanza is serialised and parsed once for all copies.
    pub fn send_to(&self, stanza: &Element, to: impl IntoIterator<Item = impl Into<Jid>>) {
        if let Some(core) = self.core() {
            core.send_to(self.host(), stanza.clone(), to.into_iter().map(Into::into).collect());
        }
    }

    /// Puts a stanza into a session's queue without firing events. Returns `false` when no session
    /// has this JID or the queue is full.
    pub fn deliver(&self, to: &FullJid, stanza: impl IntoStanza) -> bool {
        self.core().is_some_and(|core| core.deliver(self.host(), to, stanza))
    }

    /// Sends an iq request and waits for the answer, at most 60 seconds.
    ///
    /// The answer bypasses queued stanzas and all events, so a handler may query the client whose
    /// stanza is being handled.
    ///
    /// # Errors
    /// The recipient answered with an error, did not answer in time, or cannot be reached.
    // The future has a name without the type of `iq`: see `fire`.
    pub fn query(&self, iq: impl IntoStanza) -> BoxFuture<'_, Result<Iq, QueryError>> {
        let iq = iq.into_stanza();
        Box::pin(async move {
            let core = self.core().ok_or(QueryError::Stopped)?;
            core.query(self.host(), iq?).await
        })
    }

    /// Lets the caller answer an iq request after the handler has returned. The handler must return
    /// [`Flow::Handled`].
    pub fn answer_later(&self, iq: &mut Iq) -> AnswerLater {
        AnswerLater::new(iq, self.0.core.clone())
    }

    /// Fires an event on this host, or for the whole server if the event's scope is global. The
    /// result contains the event as handlers have changed it.
    ///
    /// A module says which events it fires: `#[module(fires = [events::UserRegistered])]`. A test on
    /// the harness (`event_core::testing`) fails when it fires another.
    // Not an `async fn`, whose future would have the bound on `E`: the compiler would report a type
    // that is not an event three times, at the call, at the future and at `.await`.
    pub fn fire<'a, 'p: 'a, E>(&'a self, event: E) -> BoxFuture<'a, Fired<E>>
    where
        E: Fire<'p> + Send + 'a,
    {
        Box::pin(async move {
            match self.core() {
                Some(core) => {
                    core.watch_fire(self.0.module, E::INFO);
                    core.fire(self.host(), event).await
                }
                None => Fired { event, flow: Flow::Continue, error: None },
            }
        })
    }

    /// Fires an event whose payload is a stanza, such as `message/offline/handle`.
    ///
    /// # Errors
    /// The error that a handler returned.
    pub async fn fire_stanza<E: Event>(
        &self,
        payload: &mut <E::Payload as Payload>::Of<'_>,
    ) -> Result<Flow, StanzaError> {
        match self.core() {
            Some(core) => {
                core.watch_fire(self.0.module, E::INFO);
                core.fire_stanza::<E>(self.host(), payload).await
            }
            None => Ok(Flow::Continue),
        }
    }

    /// Runs `task`, which is work outside of streams and handlers, as a turn: the stanzas that
    /// `task` sends are routed in order after the end of `task`.
    pub async fn run_turn<F: Future>(&self, task: F) -> F::Output {
        match self.core() {
            Some(core) => core.run_turn(task).await,
            None => task.await,
        }
    }

    /// Binds `resource`, or a random resource when `resource` is `None` (RFC 6120 §7), and fires
    /// `pre-resource-bind` and `resource-bind`. Another session with the same resource is closed
    /// with `conflict`.
    ///
    /// # Errors
    /// The session is not authenticated, already has a resource, or has ended. A handler refused
    /// the resource, `resource` is not a valid resourcepart, or the account has too many resources.
    pub async fn bind<'s>(
        &self,
        session: &'s Session,
        resource: Option<&str>,
    ) -> Result<&'s FullJid, StanzaError> {
        let core = self.core().ok_or_else(StanzaError::service_unavailable)?;
        core.bind(session, resource).await
    }

    /// Ends a session and fires `resource-unbind` if the session had a resource. The stream stays
    /// open.
    pub async fn end_session(&self, session: &Session, error: Option<&str>) {
        if let Some(core) = self.core() {
            core.end_session(session, error).await;
        }
    }

    /// Opens a module's store on this host, for a module's [`start`](crate::ModuleState::start).
    /// Data of an older schema version is migrated first.
    ///
    /// # Errors
    /// The data is newer than the schema, cannot be migrated, or the storage failed.
    pub async fn store(&self, schema: &'static Schema) -> Result<Store, StartError> {
        let Inner { host, storage, clock, .. } = &*self.0;
        let opened = storage.open(schema).await;
        opened.map_err(|error| StartError::Other(error.to_string()))?;
        Ok(Store::new(Arc::clone(storage), host.name(), schema.store, *clock))
    }

    /// Writes to any number of stores in one transaction. Returns whether a deletion found data.
    ///
    /// # Errors
    /// The error of the first failed write, or the storage failed.
    pub async fn transact(&self, batch: Vec<Write>) -> StorageResult<bool> {
        cost::add_writes(batch.len(), batch.iter().map(Write::size).sum());
        self.0.storage.write(batch).await
    }

    /// The time of day; in tests, the time of the harness's clock.
    pub fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    /// The time since the server's start.
    pub fn uptime(&self) -> Duration {
        self.0.clock.elapsed()
    }
}
