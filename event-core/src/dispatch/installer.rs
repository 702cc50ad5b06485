//! Makes a typed handler of a hook, for a table.

use std::{any::Any, sync::Arc};

use crate::{
    dispatch::{
        chain::{AsyncCall, Call, Chain, Handler, SyncCall},
        hook::HookMeta,
        outcome::Outcome,
        stats::{HandlerStats, Passes},
    },
    events::traits::Payload,
    module::{context::Context, module::Module},
    util::future::BoxFuture,
};

/// A hook as its expansion submits it.
#[derive(Debug)]
#[doc(hidden)]
pub struct HookRecord {
    pub meta: HookMeta,
    pub install: fn(&mut Installer<'_>) -> Result<(), WrongContext>,
}

/// A handler asked for the context of a module that it does not belong to.
#[derive(Debug)]
#[doc(hidden)]
pub struct WrongContext;

/// Gives one handler its context and takes it into a table.
#[doc(hidden)]
pub struct Installer<'a> {
    pub(crate) meta: &'static HookMeta,
    pub(crate) context: &'a Arc<dyn Any + Send + Sync>,
    pub(crate) installed: Option<Installed>,
}

impl std::fmt::Debug for Installer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installer").field("meta", self.meta).finish_non_exhaustive()
    }
}

impl Installer<'_> {
    /// The context of the module that the handler belongs to.
    pub fn context_of<M: Module>(&self) -> Result<Arc<Context<M>>, WrongContext> {
        Arc::clone(self.context).downcast().map_err(|_| WrongContext)
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

/// An async handler: the expansion boxes its future.
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

/// A chain of whatever payload, as a table keeps it.
pub(crate) trait AnyChain: Any + Send + Sync {
    /// Adds how often it came to each handler.
    fn count(&self, add: &mut dyn FnMut(HandlerId, Passes));
}

/// Tells a host's handler from all others, also in a chain of several hosts.
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

/// A handler of whatever payload, and how a chain is made of such.
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
