//! The second argument of handlers: the module's options and state, and the host.

use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jid::{FullJid, Jid};
use tokio::time::sleep;
use xmpp_xml::Element;

use crate::{
    dispatch::{flow::Flow, installer::AnyContext},
    events::traits::{Event, Fire, Fired, Payload},
    host::{host::Host, role::Action},
    module::{host_context::HostContext, module::Module, tasks::Tasks},
    protocol::{into_stanza::IntoStanza, iq::Iq, stanza_error::StanzaError},
    routing::{queries::QueryError, reply::AnswerLater},
    session::session::Session,
    storage::{StorageResult, Write},
    util::{future::BoxFuture, hidden::Hidden},
};

/// A handle of a module on one host, cheap to clone. The handle dereferences to the module's
/// options.
///
/// ```
/// use event_core::prelude::*;
/// /// Greets users.
/// #[module]
/// pub struct Hello {
///     /// The text of the greeting.
///     text: String,
/// }
///
/// #[hook("resource-bind")]
/// fn log(bind: &ResourceBind, cx: &Context<Hello>) {
///     println!("{} {} on {}", cx.text, bind.session.id(), cx.host().name());
/// }
/// ```
pub struct Context<M: Module>(Hidden<Inner<M>>);

struct Inner<M: Module> {
    server: HostContext,
    options: M,
    state: Arc<M::State>,
    tasks: Arc<Tasks>,
}

impl<M: Module> Clone for Context<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Module> std::fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context({} on {})", M::INFO.name, self.host().name())
    }
}

impl<M: Module> Deref for Context<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.0.options
    }
}

impl<M: Module> Context<M> {
    pub(crate) fn new(server: HostContext, options: M, state: M::State) -> Self {
        Self(Hidden::new(Inner { server, options, state: Arc::new(state), tasks: Arc::default() }))
    }

    /// Makes a context with other options that shares the state and the tasks of this one.
    pub(crate) fn with_options(&self, options: M) -> Self {
        let Inner { server, state, tasks, .. } = &*self.0;
        let (state, tasks) = (Arc::clone(state), Arc::clone(tasks));
        Self(Hidden::new(Inner { server: server.clone(), options, state, tasks }))
    }

    pub(crate) fn into_any(self) -> AnyContext {
        Arc::new(self)
    }

    /// The host on which the module runs.
    pub fn host(&self) -> &Arc<Host> {
        self.0.server.host()
    }

    /// A handle of this host that does not depend on the module.
    pub fn host_context(&self) -> &HostContext {
        &self.0.server
    }

    /// A handle of another host of the same server.
    pub fn with_host(&self, host: &Arc<Host>) -> HostContext {
        self.0.server.with_host(host)
    }

    /// The host of a domain, if this server serves the domain.
    pub fn find_host(&self, domain: &str) -> Option<Arc<Host>> {
        self.0.server.find_host(domain)
    }

    /// All hosts of the server, in the order of the configuration.
    pub fn hosts(&self) -> Vec<Arc<Host>> {
        self.0.server.core().map(|core| core.hosts()).unwrap_or_default()
    }

    /// The features that the modules of this host announce (XEP-0030), sorted.
    pub fn features(&self) -> Vec<&'static str> {
        self.0.server.features()
    }

    /// The module's state on this host.
    pub fn state(&self) -> &M::State {
        &self.0.state
    }

    /// Sends a stanza from this host: see [`HostContext::send`].
    pub fn send(&self, stanza: impl IntoStanza) {
        self.0.server.send(stanza);
    }

    /// Sends copies of a message or presence: see [`HostContext::send_to`].
    pub fn send_to(&self, stanza: &Element, to: impl IntoIterator<Item = impl Into<Jid>>) {
        self.0.server.send_to(stanza, to);
    }

    /// Puts a stanza into a session's queue, without any event: see [`HostContext::deliver`].
    pub fn deliver(&self, to: &FullJid, stanza: impl IntoStanza) -> bool {
        self.0.server.deliver(to, stanza)
    }

    /// Sends an iq request and waits for the answer: see [`HostContext::query`].
    ///
    /// # Errors
    /// The recipient answered with an error, did not answer in time, or cannot be reached.
    pub fn query(&self, iq: impl IntoStanza) -> BoxFuture<'_, Result<Iq, QueryError>> {
        self.0.server.query(iq)
    }

    /// Lets the module answer an iq request after the handler has returned: see
    /// [`HostContext::answer_later`].
    pub fn answer_later(&self, iq: &mut Iq) -> AnswerLater {
        self.0.server.answer_later(iq)
    }

    /// Fires an event on this host: see [`HostContext::fire`].
    pub fn fire<'a, 'p: 'a, E>(&'a self, event: E) -> BoxFuture<'a, Fired<E>>
    where
        E: Fire<'p> + Send + 'a,
    {
        self.0.server.fire(event)
    }

    /// Fires an event whose payload is a stanza: see [`HostContext::fire_stanza`].
    ///
    /// # Errors
    /// A handler refused the stanza.
    pub async fn fire_stanza<E: Event>(
        &self,
        payload: &mut <E::Payload as Payload>::Of<'_>,
    ) -> Result<Flow, StanzaError> {
        self.0.server.fire_stanza::<E>(payload).await
    }

    /// Binds a resource (RFC 6120 §7): see [`HostContext::bind`].
    ///
    /// # Errors
    /// See [`HostContext::bind`].
    pub async fn bind<'s>(
        &self,
        session: &'s Session,
        resource: Option<&str>,
    ) -> Result<&'s FullJid, StanzaError> {
        self.0.server.bind(session, resource).await
    }

    /// Writes to any number of stores in one transaction: see [`HostContext::transact`].
    ///
    /// # Errors
    /// The error of the first failed write, or the storage failed.
    pub async fn transact(&self, batch: Vec<Write>) -> StorageResult<bool> {
        self.0.server.transact(batch).await
    }

    /// Whether `jid` may perform `action` on this host.
    pub fn may(&self, jid: &Jid, action: &Action) -> bool {
        self.host().role(jid) >= action.role
    }

    /// The time of day; in tests, the time of the harness's clock.
    pub fn now(&self) -> SystemTime {
        self.0.server.now()
    }

    /// The time since the server's start.
    pub fn uptime(&self) -> Duration {
        self.0.server.uptime()
    }

    /// Spawns `task`, which is aborted when the module stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(task);
    }

    /// Spawns `task` with a delay of `wait`. The task is aborted when the module stops.
    pub fn after(&self, wait: Duration, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn(async move {
            sleep(wait).await;
            task.await;
        });
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }
}

/// Checks that the second argument is `&Context<M>` where it is named so.
#[diagnostic::on_unimplemented(
    message = "the second argument of a handler is `&event_core::Context<…>`, found `&{Self}`",
    label = "another type of that name",
    note = "name it by its path, `&event_core::Context<…>`, or import it with `use event_core::Context;`"
)]
#[doc(hidden)]
pub trait NamedContext {
    /// The Rust module in which the module is declared.
    const MODULE_PATH: &'static str;
}

#[diagnostic::do_not_recommend]
impl<M: Module> NamedContext for Context<M> {
    const MODULE_PATH: &'static str = M::INFO.module_path;
}

/// Gives a handler the context as the type of its second argument, which the compiler infers: the
/// macro cannot see the type behind an alias. Only `&Context<M>` implements this trait.
#[diagnostic::on_unimplemented(
    message = "the second argument of a handler is `&Context<…>`, found `{Self}`",
    label = "not a context",
    note = "the context dereferences to the module's options and gives its host: `cx.host()`"
)]
#[doc(hidden)]
pub trait ContextRef<'a>: Sized {
    type Module: Module;

    fn of(context: &'a Context<Self::Module>) -> Self;
}

#[diagnostic::do_not_recommend]
impl<'a, M: Module> ContextRef<'a> for &'a Context<M> {
    type Module = M;

    fn of(context: &'a Context<M>) -> Self {
        context
    }
}
