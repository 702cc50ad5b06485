//! What a handler is given beside the payload: its module's options and state, and the host.

use std::{
    any::Any,
    future::Future,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use jid::{FullJid, Jid};
use tokio::task::JoinSet;

use crate::{
    Host,
    event::{Fire, Fired},
    module::Module,
    query::{IntoStanza, QueryError},
    stanza::Iq,
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
    tasks: Tasks,
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
        Self { host, options, state: Arc::new(state), tasks: Tasks::default() }
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
    pub fn may(&self, jid: &Jid, action: &crate::Action) -> bool {
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

/// The tasks of a module on a host; they end with it.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    pub(crate) fn stop(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

/// How a handler asks for its module's context; only `&Context<M>` does.
#[doc(hidden)]
pub trait ContextRef<'a> {
    type Module: Module;

    fn of(context: &'a Context<Self::Module>) -> Self;
}

impl<'a, M: Module> ContextRef<'a> for &'a Context<M> {
    type Module = M;

    fn of(context: &'a Context<M>) -> Self {
        context
    }
}
