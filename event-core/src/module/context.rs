//! What a handler is given beside the payload: its module's options and state, and the host.

use std::{
    any::Any,
    future::Future,
    ops::Deref,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jid::{FullJid, Jid};
use xmpp_xml::Element;

use crate::{
    dispatch::installer::{Installer, WrongContext},
    events::traits::{Fire, Fired},
    host::host::Host,
    module::{module::Module, tasks::Tasks},
    protocol::{into_stanza::IntoStanza, iq::Iq},
    routing::queries::QueryError,
};

pub(crate) type AnyContext = Arc<dyn Any + Send + Sync>;

/// A module on one host. It dereferences to the module's options.
///
/// ```
/// use event_core::prelude::*;
/// /// Says hello.
/// #[module]
/// pub struct Hello {
///     /// What it says.
///     text: String,
/// }
///
/// #[hook("resource-bind")]
/// fn log(bind: &ResourceBind, cx: &Context<Hello>) {
///     println!("{} {} on {}", cx.text, bind.session.id(), cx.host().name());
/// }
/// ```
pub struct Context<M: Module> {
    host: Arc<Host>,
    options: M,
    state: Arc<M::State>,
    tasks: Arc<Tasks>,
}

impl<M: Module> std::fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context({} on {})", M::INFO.name, self.host.name())
    }
}

impl<M: Module> Deref for Context<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.options
    }
}

impl<M: Module> Context<M> {
    pub(crate) fn new(host: Arc<Host>, options: M, state: M::State) -> Self {
        Self { host, options, state: Arc::new(state), tasks: Arc::default() }
    }

    /// The same module on the same host, with other options.
    pub(crate) fn with_options(&self, options: M) -> Self {
        let (host, state) = (Arc::clone(&self.host), Arc::clone(&self.state));
        Self { host, options, state, tasks: Arc::clone(&self.tasks) }
    }

    /// The host that the event happened on.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// What the module keeps on this host.
    pub fn state(&self) -> &M::State {
        &self.state
    }

    /// Sends a stanza from this host: it is routed when the outermost chain ends, in order, and
    /// before the stream's next stanza. `from` is the host unless it is set to a JID of this host.
    /// No pre-routing event fires.
    pub fn send(&self, stanza: impl IntoStanza) {
        self.host.send(stanza);
    }

    /// Sends copies of a message or presence to these addresses, in their order; else as
    /// [`Context::send`]. It spares writing and reading again what is known already.
    pub fn send_to(&self, stanza: &Element, to: impl IntoIterator<Item = impl Into<Jid>>) {
        self.host.send_to(stanza, to);
    }

    /// Puts a stanza into a session's queue, without any event. `false` when there is no such
    /// session or its queue is full.
    pub fn deliver(&self, to: &FullJid, stanza: impl IntoStanza) -> bool {
        self.host.deliver(to, stanza)
    }

    /// Sends an iq request and waits for its answer, at most for [`Host::QUERY_TIMEOUT`].
    ///
    /// The answer goes straight to the waiter, ahead of queued stanzas and before any event, so a
    /// handler may query the client whose stanza it handles.
    ///
    /// # Errors
    /// The other side answered with an error, did not answer in time, or cannot be reached.
    pub async fn query(&self, iq: impl IntoStanza) -> Result<Iq, QueryError> {
        self.host.query(iq).await
    }

    /// Fires an event on this host, or for the whole server when its scope is that.
    ///
    /// The event comes back: what handlers of a collect event put into it is there to be read.
    pub async fn fire<'p, E: Fire<'p>>(&self, event: E) -> Fired<E> {
        self.host.fire(event).await
    }

    /// Whether `jid` may do what `action` stands for on this host.
    pub fn may(&self, jid: &Jid, action: &crate::host::role::Action) -> bool {
        self.host.role(jid) >= action.role
    }

    /// The time of day. In tests it is the harness's clock.
    pub fn now(&self) -> SystemTime {
        self.host.core().now()
    }

    /// Runs `task` beside the events until it ends or the module stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Runs `task` after a while, unless the module stops before.
    pub fn after(&self, wait: Duration, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn(async move {
            tokio::time::sleep(wait).await;
            task.await;
        });
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }
}

/// The context as handlers name it, `Context<M>`.
#[doc(hidden)]
pub trait ContextOf {
    type Module: Module;

    /// The Rust module of the module whose context it is.
    const MODULE_PATH: &'static str;
}

impl<M: Module> ContextOf for Context<M> {
    type Module = M;

    const MODULE_PATH: &'static str = M::INFO.module_path;
}

/// How a handler asks for its module's context by another name; only `&Context<M>` does.
#[diagnostic::on_unimplemented(
    message = "the second argument of a handler is `&Context<…>`, found `{Self}`",
    label = "not a context",
    note = "the context dereferences to the module's options and gives its host: `cx.host()`"
)]
#[doc(hidden)]
pub trait ContextRef<'a>: Sized {
    type Module: Module;

    const MODULE_PATH: &'static str;

    fn take(installer: &Installer<'_>) -> Result<Arc<Context<Self::Module>>, WrongContext> {
        installer.context_of()
    }

    fn of(context: &'a Context<Self::Module>) -> Self;
}

#[diagnostic::do_not_recommend]
impl<'a, M: Module> ContextRef<'a> for &'a Context<M> {
    type Module = M;

    const MODULE_PATH: &'static str = M::INFO.module_path;

    fn of(context: &'a Context<M>) -> Self {
        context
    }
}
