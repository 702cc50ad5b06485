//! A chain: the handlers of one event on one host, in the order in which they run.
//!
//! A chain is built once and never changes. Sync handlers are called directly; the future of an
//! async handler is boxed. A panic does not leave the chain: see [`Chain::fire`].

use std::{
    any::Any,
    future::ready,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use futures_util::FutureExt;

use crate::{
    dispatch::{
        hook::HookMeta,
        now_or_later::{MakeFuture, NowOrLater},
        outcome::{Outcome, Pending},
        stats::{Counters, Passes},
    },
    events::traits::Payload,
    util::{
        future::{catch_panics, panic_message},
        tally::Tally,
    },
};

/// In one dispatch of 256, each handler is timed.
const TIMED: u64 = 256;

pub(crate) type SyncCall<P> =
    Arc<dyn for<'a, 'p> Fn(&'a mut <P as Payload>::Of<'p>) -> Outcome + Send + Sync>;

pub(crate) trait AsyncCall<P: Payload>: Send + Sync {
    fn call<'a, 'p>(&'a self, payload: &'a mut P::Of<'p>) -> Pending<'a>;
}

pub(crate) type NowOrLaterCall<P> =
    Arc<dyn for<'a, 'p> Fn(&'a mut <P as Payload>::Of<'p>) -> NowOrLater<P, Outcome> + Send + Sync>;

pub(crate) enum Call<P: Payload> {
    Sync(SyncCall<P>),
    NowOrLater(NowOrLaterCall<P>),
    Async(Arc<dyn AsyncCall<P>>),
}

impl<P: Payload> Clone for Call<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Sync(call) => Self::Sync(Arc::clone(call)),
            Self::NowOrLater(call) => Self::NowOrLater(Arc::clone(call)),
            Self::Async(call) => Self::Async(Arc::clone(call)),
        }
    }
}

/// A handler with its context, shared by all chains that contain the handler.
pub(crate) struct Handler<P: Payload> {
    pub(crate) call: Call<P>,
    pub(crate) meta: &'static HookMeta,
    /// Whether the chain goes on after a panic of this handler.
    pub(crate) contained: bool,
    pub(crate) counters: Counters,
}

struct Link<P: Payload> {
    /// A copy of the handler's call, so that a dispatch follows one pointer less.
    call: Call<P>,
    handler: Arc<Handler<P>>,
}

/// The handlers of one event in the order in which they run. Dispatches that wait share the chain.
pub(crate) struct Chain<P: Payload>(Arc<Links<P>>);

struct Links<P: Payload> {
    links: Box<[Link<P>]>,
    /// The number of dispatches, then for each link the number of dispatches that ended there.
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

impl<P: Payload> Chain<P> {
    /// The names of the handlers in order, for the log.
    pub(crate) fn handlers(&self) -> String {
        self.0.links.iter().map(|link| link.handler.meta.id()).collect::<Vec<_>>().join(", ")
    }
}

/// The outcome that stopped a chain, and the handler that returned it.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) outcome: Outcome,
    pub(crate) by: Option<&'static HookMeta>,
}

/// How a run of sync handlers ended.
pub(crate) enum Ran {
    Ended(Option<Stop>),
    /// The next handler is not sync: see [`Chain::run_now_or_later`].
    Waits(Rest),
}

/// The rest of a dispatch: the next handler, and whether the dispatch is timed.
pub(crate) struct Rest {
    at: usize,
    timed: bool,
}

/// The result of [`Chain::run_now_or_later`].
pub(crate) enum Resumed<P: Payload> {
    Ended(Option<Stop>),
    /// The next handler waits: see [`Chain::run_rest`]. The function, if any, is what the handler
    /// returned in `NowOrLater::Later`.
    Waits(Rest, Option<MakeFuture<P, Outcome>>),
}

impl<P: Payload> Chain<P> {
    pub(crate) fn new(handlers: impl IntoIterator<Item = Arc<Handler<P>>>) -> Self {
        let links: Box<[_]> = handlers
            .into_iter()
            .map(|handler| Link { call: handler.call.clone(), handler })
            .collect();
        Self(Arc::new(Links { counts: Tally::new(1 + links.len()), links }))
    }

    /// The number of calls of each handler by this chain.
    pub(crate) fn passes(&self) -> impl Iterator<Item = (&Arc<Handler<P>>, Passes)> {
        let Links { links, counts } = &*self.0;
        let mut left = counts.sum(0);
        links.iter().enumerate().map(move |(at, link)| {
            let passes = Passes { calls: left, stops: counts.sum(1 + at) };
            left = left.saturating_sub(passes.stops);
            (&link.handler, passes)
        })
    }

    /// Runs the handlers in order until one stops the chain. Returns `None` if no handler does.
    ///
    /// A handler that panics is logged and counted. In observers, notifications and collect events
    /// the next handler then runs; in all other cases the chain stops with `Outcome::Panicked`.
    pub(crate) async fn fire(&self, payload: &mut P::Of<'_>) -> Option<Stop> {
        let rest = match self.run_until_wait(payload) {
            Ran::Ended(stop) => return stop,
            Ran::Waits(rest) => rest,
        };
        match self.run_now_or_later(rest, payload) {
            Resumed::Ended(stop) => stop,
            Resumed::Waits(rest, later) => self.run_rest(rest, later, payload).await,
        }
    }

    /// Runs the handlers before the first that is not sync. Most chains have only sync handlers.
    #[inline]
    pub(crate) fn run_until_wait(&self, payload: &mut P::Of<'_>) -> Ran {
        if self.0.links.is_empty() {
            return Ran::Ended(None);
        }
        let timed = self.take_ticket();
        self.run_sync(0, payload, timed)
    }

    /// Awaits the handler at `rest`, then runs the handlers after that handler.
    pub(crate) async fn run_rest(
        &self,
        mut rest: Rest,
        mut later: Option<MakeFuture<P, Outcome>>,
        payload: &mut P::Of<'_>,
    ) -> Option<Stop> {
        loop {
            let Rest { at, timed } = rest;
            let link = self.0.links.get(at)?;
            let meta = link.handler.meta;
            let started = timed.then(Instant::now);
            let make = later.take();
            let outcome = contain(meta, || match (make, &link.call) {
                (Some(make), _) => Pending::Outcome(make(payload)),
                (None, Call::Async(call)) => call.call(payload),
                (None, _) => Pending::Outcome(Box::pin(ready(Outcome::Continue))),
            })
            .await;
            if let Some(started) = started {
                link.handler.counters.time(started.elapsed());
            }
            if let Some(outcome) = outcome.stop()
                && let Some(stop) = self.settle(at, outcome)
            {
                return Some(stop);
            }
            rest = match self.run_sync(at + 1, payload, timed) {
                Ran::Ended(stop) => return stop,
                Ran::Waits(next) => next,
            };
            match self.run_now_or_later(rest, payload) {
                Resumed::Ended(stop) => return stop,
                Resumed::Waits(next, make) => (rest, later) = (next, make),
            }
        }
    }

    /// Counts a dispatch. Returns whether the dispatch is timed.
    #[inline]
    fn take_ticket(&self) -> bool {
        self.0.counts.add(0, 1).is_multiple_of(TIMED)
    }

    /// Runs sync handlers from `at` on. One `catch_unwind` covers the whole run. When a handler
    /// panics and the chain goes on, another run begins after that handler.
    fn run_sync(&self, mut at: usize, payload: &mut P::Of<'_>, timed: bool) -> Ran {
        loop {
            // A panic may leave the payload half changed. So the chain stops, unless the handler
            // can only read the payload or decides nothing.
            let ran = catch_unwind(AssertUnwindSafe(|| {
                let links = self.0.links.get(at..).unwrap_or_default();
                for link in links {
                    let Call::Sync(call) = &link.call else { return None };
                    let outcome = if timed {
                        time(&link.handler.counters, || call(payload))
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
                Ok(None) if at < self.0.links.len() => {
                    return Ran::Waits(Rest { at, timed });
                }
                Ok(None) => return Ran::Ended(None),
                Ok(Some(outcome)) => outcome,
                Err(panic) => {
                    self.report(at, &*panic);
                    Outcome::Panicked
                }
            };
            if let Some(stop) = self.settle(at, outcome) {
                return Ran::Ended(Some(stop));
            }
            at += 1;
        }
    }

    /// Runs the handlers from `rest` on, up to the first that waits.
    pub(crate) fn run_now_or_later(&self, mut rest: Rest, payload: &mut P::Of<'_>) -> Resumed<P> {
        loop {
            let Rest { at, timed } = rest;
            let Some(link) = self.0.links.get(at) else { return Resumed::Ended(None) };
            let Call::NowOrLater(call) = &link.call else { return Resumed::Waits(rest, None) };
            let called = catch_unwind(AssertUnwindSafe(|| match timed {
                true => time(&link.handler.counters, || call(payload)),
                false => call(payload),
            }));
            let outcome = match called {
                Ok(NowOrLater::Now(outcome)) => outcome,
                Ok(NowOrLater::Later(make)) => return Resumed::Waits(rest, Some(make)),
                Err(panic) => {
                    self.report(at, &*panic);
                    Outcome::Panicked
                }
            };
            if let Some(outcome) = outcome.stop()
                && let Some(stop) = self.settle(at, outcome)
            {
                return Resumed::Ended(Some(stop));
            }
            match self.run_sync(at + 1, payload, timed) {
                Ran::Waits(next) => rest = next,
                Ran::Ended(stop) => return Resumed::Ended(stop),
            }
        }
    }

    /// Counts the outcome of the handler at `at`. Returns `None` when the chain goes on after a
    /// panic.
    fn settle(&self, at: usize, outcome: Outcome) -> Option<Stop> {
        let link = self.0.links.get(at)?;
        link.handler.counters.outcome(&outcome);
        if link.handler.contained && matches!(outcome, Outcome::Panicked) {
            return None;
        }
        self.0.counts.add(1 + at, 1);
        Some(Stop { outcome, by: Some(link.handler.meta) })
    }

    fn report(&self, at: usize, panic: &(dyn Any + Send)) {
        if let Some(link) = self.0.links.get(at) {
            report_panic(link.handler.meta, panic);
        }
    }
}

/// Calls a handler and counts the time.
#[cold]
fn time<R>(counters: &Counters, call: impl FnOnce() -> R) -> R {
    let started = Instant::now();
    let returned = call();
    counters.time(started.elapsed());
    returned
}

fn report_panic(meta: &HookMeta, panic: &(dyn Any + Send)) {
    let message = panic_message(panic);
    tracing::error!(
        handler = %meta.id(), event = meta.event, file = meta.file, line = meta.line,
        "a handler panicked: {message}"
    );
}

/// Makes and runs a handler's future. A panic of either becomes `Outcome::Panicked`.
fn contain<'a>(
    meta: &'static HookMeta,
    make: impl FnOnce() -> Pending<'a>,
) -> impl Future<Output = Outcome> {
    catch_panics(make).map(move |caught| {
        caught.unwrap_or_else(|panic| {
            report_panic(meta, &*panic);
            Outcome::Panicked
        })
    })
}
