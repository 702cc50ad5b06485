//! The hooks of the binary, and how a handler gets its context and enters a table.

use std::{
    any::Any,
    sync::{Arc, LazyLock},
};

use crate::{
    dispatch::{
        chain::{Call, Chain, Handler},
        hook::{HookMeta, Place},
        stats::{HandlerStats, Passes},
    },
    events::traits::Payload,
    module::start_error::StartError,
};

/// A hook as the expansion of `#[hook]` submits it.
#[derive(Debug)]
#[doc(hidden)]
pub struct HookRecord {
    /// The name of the event; everything else about the event follows from the name.
    pub event: &'static str,
    pub priority: i32,
    pub place: Place,
    pub function: &'static str,
    pub handler: &'static dyn Install,
}

inventory::collect!(HookRecord);

/// A handler without its type.
#[doc(hidden)]
pub trait Install: Sync {
    /// Whether the handler is an `async fn` or returns `NowOrLater`.
    fn may_wait(&self) -> bool;

    /// Whether the type of the handler's result says that the handler always ends the chain.
    fn always_answers(&self) -> bool {
        false
    }

    /// Makes the handler of a table.
    ///
    /// # Errors
    /// `context` is not of the module whose context the handler takes.
    fn install(
        &self,
        meta: &'static HookMeta,
        context: &AnyContext,
    ) -> Result<Installed, WrongContext>;
}

impl std::fmt::Debug for dyn Install {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.may_wait() { "async fn" } else { "fn" })
    }
}

/// The handler takes the context of a module to which the handler does not belong.
#[derive(Debug)]
#[doc(hidden)]
pub struct WrongContext;

/// A module's context without its type.
pub(crate) type AnyContext = Arc<dyn Any + Send + Sync>;

/// A hook of the binary.
#[derive(Debug)]
pub(crate) struct LinkedHook {
    pub(crate) meta: HookMeta,
    handler: &'static dyn Install,
}

/// The hooks of the binary. `Err` has the record of a hook whose event the binary does not have.
static LINKED: LazyLock<Vec<Result<LinkedHook, &HookRecord>>> = LazyLock::new(|| {
    let linked = |record: &'static HookRecord| {
        let HookRecord { event, priority, place, function, handler } = *record;
        let runs = (priority, handler.may_wait(), handler.always_answers());
        let meta = HookMeta::new(event, runs, place, function).ok_or(record)?;
        Ok(LinkedHook { meta, handler })
    };
    inventory::iter::<HookRecord>.into_iter().map(linked).collect()
});

impl LinkedHook {
    /// All hooks of the binary. The ids of declared events must have been assigned.
    pub(crate) fn all() -> impl Iterator<Item = Result<&'static Self, StartError>> {
        LINKED.iter().map(|linked| {
            linked.as_ref().map_err(|record| StartError::UnknownEvent {
                event: record.event,
                handler: format!("{}::{}", record.place.module_path, record.function),
            })
        })
    }

    /// Makes the handler with the context of `module`.
    pub(crate) fn install(
        &'static self,
        context: &AnyContext,
        module: &'static str,
    ) -> Result<Installed, StartError> {
        self.handler.install(&self.meta, context).map_err(|WrongContext| {
            let (handler, place) = (self.meta.id(), self.meta.place());
            StartError::WrongContext { handler, place, module }
        })
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
#[doc(hidden)]
pub struct Installed {
    pub(crate) meta: &'static HookMeta,
    pub(crate) handler: Box<dyn AnyHandler>,
    pub(crate) chain: fn(&[&Self]) -> Box<dyn AnyChain>,
}

impl std::fmt::Debug for Installed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installed").field("meta", self.meta).finish_non_exhaustive()
    }
}

pub(crate) trait AnyHandler: Any + Send + Sync {
    fn id(&self) -> HandlerId;
    fn stats(&self, passes: Passes) -> HandlerStats;
}

impl Installed {
    pub(crate) fn new<P: Payload>(meta: &'static HookMeta, call: Call<P>) -> Self {
        let contained = meta.contains_panics();
        let handler = Arc::new(Handler { call, meta, contained, counters: Default::default() });
        Self {
            meta,
            handler: Box::new(handler),
            chain: |handlers| Box::new(Chain::new(handlers.iter().filter_map(|h| h.typed::<P>()))),
        }
    }

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
