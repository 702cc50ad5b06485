//! Chains: the handlers of one event on one host, in order, and how they are run.
//!
//! A chain is built once and never changes. Sync handlers are called directly, async ones box
//! their future. A panic is contained: see [`Chain::fire`].

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use crate::{
    dispatch::{
        hook::HookMeta,
        outcome::Outcome,
        stats::{Counters, Passes},
    },
    events::traits::Payload,
    util::{
        future::{BoxFuture, catch_panics, panic_message},
        tally::Tally,
    },
};

/// One dispatch in this many is timed, handler by handler.
const TIMED: u64 = 256;

pub(crate) type SyncCall<P> =
    Arc<dyn for<'a, 'p> Fn(&'a mut <P as Payload>::Of<'p>) -> Outcome + Send + Sync>;

pub(crate) trait AsyncCall<P: Payload>: Send + Sync {
    fn call<'a, 'p>(&'a self, payload: &'a mut P::Of<'p>) -> BoxFuture<'a, Outcome>;
}

pub(crate) enum Call<P: Payload> {
    Sync(SyncCall<P>),
    Async(Arc<dyn AsyncCall<P>>),
}

impl<P: Payload> Clone for Call<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Sync(call) => Self::Sync(Arc::clone(call)),
            Self::Async(call) => Self::Async(Arc::clone(call)),
        }
    }
}

/// A handler with its context, shared by all chains it stands in.
pub(crate) struct Handler<P: Payload> {
    pub(crate) call: Call<P>,
    pub(crate) meta: &'static HookMeta,
    /// A panic in it does not stop the chain.
    pub(crate) contained: bool,
    pub(crate) counters: Counters,
}

struct Link<P: Payload> {
    /// The handler's, here as well: a dispatch follows one pointer less.
    call: Call<P>,
    handler: Arc<Handler<P>>,
}

/// The handlers of one event, in the order they run; shared with dispatches that wait.
pub(crate) struct Chain<P: Payload>(Arc<Links<P>>);

struct Links<P: Payload> {
    links: Box<[Link<P>]>,
    /// Dispatches, then those that ended at each link.
    counts: Tally,
}

impl<P: Payload> Clone for Chain<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Payload> std::fmt::Debug for Chain<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.links.iter().map(|link| link.handler.meta)).finish()
    }
}

/// What stopped a chain, and who decided.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) by: Option<&'static HookMeta>,
}

/// Where a run of sync handlers ended.
pub(crate) enum Begun {
    Ended(Option<Verdict>),
    /// The next handler has to be awaited: see [`Chain::go_on`].
    Waits(Rest),
}

/// What is left of a dispatch.
pub(crate) struct Rest {
    at: usize,
    timed: bool,
}

impl<P: Payload> Chain<P> {
    pub(crate) fn new(handlers: impl IntoIterator<Item = Arc<Handler<P>>>) -> Self {
        let links: Box<[_]> = handlers
            .into_iter()
            .map(|handler| Link { call: handler.call.clone(), handler })
            .collect();
        Self(Arc::new(Links { counts: Tally::new(1 + links.len()), links }))
    }

    /// How often this chain came to each handler.
    pub(crate) fn passes(&self) -> impl Iterator<Item = (&Arc<Handler<P>>, Passes)> {
        let Links { links, counts } = &*self.0;
        let mut left = counts.sum(0);
        links.iter().enumerate().map(move |(at, link)| {
            let passes = Passes { calls: left, stops: counts.sum(1 + at) };
            left = left.saturating_sub(passes.stops);
            (&link.handler, passes)
        })
    }

    /// Runs the handlers in order until one stops the chain; `None` means that none did.
    ///
    /// A handler that panics is logged and counted. In observers, notifications and collect events
    /// the next handler then runs; elsewhere the chain stops with `Outcome::Panicked`.
    pub(crate) async fn fire(&self, payload: &mut P::Of<'_>) -> Option<Verdict> {
        match self.begin(payload) {
            Begun::Ended(verdict) => verdict,
            Begun::Waits(rest) => self.go_on(rest, payload).await,
        }
    }

    /// Runs the sync handlers before the first async one: most dispatches end there.
    #[inline]
    pub(crate) fn begin(&self, payload: &mut P::Of<'_>) -> Begun {
        if self.0.links.is_empty() {
            return Begun::Ended(None);
        }
        let timed = self.take_ticket();
        self.run(0, payload, timed)
    }

    /// Runs what [`Chain::begin`] left.
    pub(crate) async fn go_on(&self, mut rest: Rest, payload: &mut P::Of<'_>) -> Option<Verdict> {
        while let Some(link) = self.0.links.get(rest.at) {
            if let Call::Async(call) = &link.call {
                let started = rest.timed.then(Instant::now);
                let outcome = contained(link.handler.meta, || call.call(payload)).await;
                if let Some(started) = started {
                    link.handler.counters.time(started.elapsed());
                }
                if let Some(outcome) = outcome.stop()
                    && let Some(verdict) = self.settle(rest.at, outcome)
                {
                    return Some(verdict);
                }
                rest.at += 1;
            }
            match self.run(rest.at, payload, rest.timed) {
                Begun::Ended(verdict) => return verdict,
                Begun::Waits(next) => rest = next,
            }
        }
        None
    }

    /// Counts a dispatch, and says whether it is one of those that are timed.
    #[inline]
    fn take_ticket(&self) -> bool {
        self.0.counts.add(0, 1).is_multiple_of(TIMED)
    }

    /// Runs sync handlers from `at` on. One `catch_unwind` covers the whole run; after a handler
    /// that panicked and is contained, the rest is resumed.
    fn run(&self, mut at: usize, payload: &mut P::Of<'_>, timed: bool) -> Begun {
        loop {
            // A handler that panics may leave the payload half changed: the chain then stops,
            // unless the handler could only read it or decides nothing.
            let ran = catch_unwind(AssertUnwindSafe(|| {
                let links = self.0.links.get(at..).unwrap_or_default();
                for link in links {
                    let Call::Sync(call) = &link.call else { return None };
                    let outcome = if timed {
                        time(&link.handler.counters, call, payload)
                    } else {
                        call(payload)
                    };
                    if let Some(outcome) = outcome.stop() {
                        return Some(outcome);
                    }
                    at += 1;
                }
                None
            }));
            let outcome = match ran {
                Ok(None) if at < self.0.links.len() => return Begun::Waits(Rest { at, timed }),
                Ok(None) => return Begun::Ended(None),
                Ok(Some(outcome)) => outcome,
                Err(panic) => {
                    self.report(at, &*panic);
                    Outcome::Panicked
                }
            };
            if let Some(verdict) = self.settle(at, outcome) {
                return Begun::Ended(Some(verdict));
            }
            at += 1;
        }
    }

    /// Counts what the handler at `at` came to; `None` means that the chain goes on all the same.
    #[cold]
    fn settle(&self, at: usize, outcome: Outcome) -> Option<Verdict> {
        let link = self.0.links.get(at)?;
        link.handler.counters.outcome(&outcome);
        if link.handler.contained && matches!(outcome, Outcome::Panicked) {
            return None;
        }
        self.0.counts.add(1 + at, 1);
        Some(Verdict { outcome, by: Some(link.handler.meta) })
    }

    fn report(&self, at: usize, panic: &(dyn Any + Send)) {
        if let Some(link) = self.0.links.get(at) {
            report_panic(link.handler.meta, panic);
        }
    }
}

#[cold]
fn time<P: Payload>(counters: &Counters, call: &SyncCall<P>, payload: &mut P::Of<'_>) -> Outcome {
    let started = Instant::now();
    let outcome = call(payload);
    counters.time(started.elapsed());
    outcome
}

fn report_panic(meta: &HookMeta, panic: &(dyn Any + Send)) {
    let message = panic_message(panic);
    tracing::error!(
        handler = %meta.id(), event = meta.event, file = meta.file, line = meta.line,
        "a handler panicked: {message}"
    );
}

/// A handler's future whose panics, when it is made and at each poll, become an outcome.
async fn contained<'a>(
    meta: &'static HookMeta,
    make: impl FnOnce() -> BoxFuture<'a, Outcome>,
) -> Outcome {
    catch_panics(make).await.unwrap_or_else(|panic| {
        report_panic(meta, &*panic);
        Outcome::Panicked
    })
}
