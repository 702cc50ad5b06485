//! Makes the typed handler of a hook, for a table.

use std::{any::Any, sync::Arc};

use crate::{
    dispatch::{
        chain::{AsyncCall, Call, Chain, Handler, NowOrLaterCall, SyncCall},
        hook::HookMeta,
        now_or_later::NowOrLater,
        outcome::Outcome,
        stats::{HandlerStats, Passes},
    },
    events::traits::Payload,
    module::start_error::StartError,
    util::future::BoxFuture,
};

/// A hook as the expansion of `#[hook]` submits it.
#[derive(Debug)]
#[doc(hidden)]
pub struct HookRecord {
    pub meta: HookMeta,
    pub install: fn(&mut Installer<'_>) -> Result<(), WrongContext>,
}

/// The handler takes the context of a module to which the handler does not belong.
#[derive(Debug)]
#[doc(hidden)]
pub struct WrongContext;

/// A module's context without its type.
pub(crate) type AnyContext = Arc<dyn Any + Send + Sync>;

/// Gives one handler its context and keeps the handler for a table.
#[doc(hidden)]
pub struct Installer<'a> {
    meta: &'static HookMeta,
    context: &'a AnyContext,
    installed: Option<Installed>,
}

impl std::fmt::Debug for Installer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installer").field("meta", self.meta).finish_non_exhaustive()
    }
}

impl Installer<'_> {
    /// The context of the module that the handler belongs to, as a `C`.
    pub fn context<C: Clone + Send + Sync + 'static>(&self) -> Result<C, WrongContext> {
        self.context.downcast_ref::<C>().cloned().ok_or(WrongContext)
    }

    pub fn sync<P, C, F>(&mut self, context: C, handler: F)
    where
        P: Payload,
        C: Send + Sync + 'static,
        F: for<'a, 'p> Fn(&'a mut P::Of<'p>, &'a C) -> Outcome + Send + Sync + 'static,
    {
        let call: SyncCall<P> = Arc::new(move |payload| handler(payload, &context));
        self.add::<P>(Call::Sync(call));
    }

    pub fn now_or_later<P, C, F>(&mut self, context: C, handler: F)
    where
        P: Payload,
        C: Send + Sync + 'static,
        F: for<'a, 'p> Fn(&'a mut P::Of<'p>, &'a C) -> NowOrLater<P, Outcome>
            + Send
            + Sync
            + 'static,
    {
        let call: NowOrLaterCall<P> = Arc::new(move |payload| handler(payload, &context));
        self.add::<P>(Call::NowOrLater(call));
    }

    pub fn asynchronous<P, C>(&mut self, context: C, handler: AsyncHandler<P, C>)
    where
        P: Payload,
        C: Send + Sync + 'static,
    {
        self.add::<P>(Call::Async(Arc::new(WithContext::<P, C> { context, handler })));
    }

    pub(crate) fn add<P: Payload>(&mut self, call: Call<P>) {
        let handler = Arc::new(Handler {
            call,
            meta: self.meta,
            contained: self.meta.contains_panics(),
            counters: Default::default(),
        });
        self.installed = Some(Installed {
            meta: self.meta,
            handler: Box::new(handler),
            chain: |handlers| Box::new(Chain::new(handlers.iter().filter_map(|h| h.typed::<P>()))),
        });
    }
}

/// An async handler. The expansion boxes the future.
pub(crate) type AsyncHandler<P, C> =
    for<'a, 'p> fn(&'a mut <P as Payload>::Of<'p>, &'a C) -> BoxFuture<'a, Outcome>;

pub(crate) struct WithContext<P: Payload, C> {
    pub(crate) context: C,
    pub(crate) handler: AsyncHandler<P, C>,
}

impl<P: Payload, C: Send + Sync> AsyncCall<P> for WithContext<P, C> {
    fn call<'a, 'p>(&'a self, payload: &'a mut P::Of<'p>) -> BoxFuture<'a, Outcome> {
        (self.handler)(payload, &self.context)
    }
}

/// A chain without its payload type, as a table keeps it.
pub(crate) trait AnyChain: Any + Send + Sync {
    /// Calls `add` with the number of calls of each handler.
    fn count(&self, add: &mut dyn FnMut(HandlerId, Passes));
}

/// Identifies the handler of one host, also in a chain with handlers of several hosts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct HandlerId(pub(crate) *const ());

impl HandlerId {
    pub(crate) fn of<P: Payload>(handler: &Arc<Handler<P>>) -> Self {
        Self(Arc::as_ptr(handler).cast())
    }
}

impl<P: Payload> AnyChain for Chain<P> {
    fn count(&self, add: &mut dyn FnMut(HandlerId, Passes)) {
        for (handler, passes) in self.passes() {
            add(HandlerId::of(handler), passes);
        }
    }
}

/// A handler without its payload type, and the function that makes a chain of such handlers.
pub(crate) struct Installed {
    pub(crate) meta: &'static HookMeta,
    pub(crate) handler: Box<dyn AnyHandler>,
    pub(crate) chain: fn(&[&Self]) -> Box<dyn AnyChain>,
}

pub(crate) trait AnyHandler: Any + Send + Sync {
    fn id(&self) -> HandlerId;
    fn stats(&self, passes: Passes) -> HandlerStats;
}

impl Installed {
    pub(crate) fn typed<P: Payload>(&self) -> Option<Arc<Handler<P>>> {
        let any: &dyn Any = &*self.handler;
        any.downcast_ref::<Arc<Handler<P>>>().cloned()
    }

    pub(crate) fn id(&self) -> HandlerId {
        self.handler.id()
    }

    pub(crate) fn stats(&self, passes: Passes) -> HandlerStats {
        self.handler.stats(passes)
    }
}

impl<P: Payload> AnyHandler for Arc<Handler<P>> {
    fn id(&self) -> HandlerId {
        HandlerId::of(self)
    }

    fn stats(&self, passes: Passes) -> HandlerStats {
        self.counters.stats(passes, self.contained)
    }
}

inventory::collect!(HookRecord);

/// Makes the handler of a hook of `module` with the module's context.
pub(crate) fn install(
    hook: &'static HookRecord,
    context: &AnyContext,
    module: &'static str,
) -> Result<Installed, StartError> {
    let mut installer = Installer { meta: &hook.meta, context, installed: None };
    (hook.install)(&mut installer).map_err(|WrongContext| StartError::WrongContext {
        handler: hook.meta.id(),
        place: hook.meta.place(),
        module,
    })?;
    installer.installed.ok_or_else(|| StartError::NotInstalled { handler: hook.meta.id() })
}
