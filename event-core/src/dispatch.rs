//! Chains: the handlers of one event on one host, in order, and how they are run.
//!
//! A chain is built once and never changes. Sync handlers are called directly, async ones box
//! their future. A panic is contained: see [`Chain::fire`].

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context as TaskContext, Poll},
    time::{Duration, Instant},
};

use crate::{event::Payload, flow::Outcome, registry::HookMeta};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One dispatch in this many is timed, handler by handler.
const TIMED: u64 = 256;

pub(crate) type SyncCall<P> =
    Box<dyn for<'a, 'p> Fn(&'a mut <P as Payload>::Of<'p>) -> Outcome + Send + Sync>;

pub(crate) trait AsyncCall<P: Payload>: Send + Sync {
    fn call<'a, 'p>(&'a self, payload: &'a mut P::Of<'p>) -> BoxFuture<'a, Outcome>;
}

pub(crate) enum Call<P: Payload> {
    Sync(SyncCall<P>),
    Async(Box<dyn AsyncCall<P>>),
}

/// A handler with its context, shared by all chains it stands in.
pub(crate) struct Handler<P: Payload> {
    pub(crate) call: Call<P>,
    pub(crate) meta: &'static HookMeta,
    /// A panic in it does not stop the chain.
    pub(crate) contained: bool,
    pub(crate) counters: Counters,
}

/// What a handler did so far. How often it was called follows from the chains it stands in.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    handled: AtomicU64,
    errors: AtomicU64,
    panics: AtomicU64,
    timed: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Counters {
    fn outcome(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Continue => return,
            Outcome::Handled | Outcome::Reply(_) => &self.handled,
            Outcome::Error(_) | Outcome::Stream(_) => &self.errors,
            Outcome::Panicked => &self.panics,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn time(&self, took: Duration) {
        self.timed.fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

/// A handler's figures, as `spondee hooks --json` shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandlerStats {
    /// How often it was called.
    pub calls: u64,
    /// How often it ended the chain, an answer included.
    pub handled: u64,
    /// How often it returned an error.
    pub errors: u64,
    /// How often it panicked.
    pub panics: u64,
    /// The mean of the sampled calls, in nanoseconds.
    pub mean_ns: Option<u64>,
}

impl HandlerStats {
    /// Adds what another host's or chain's copy of the handler counted.
    pub(crate) fn add(&mut self, counters: &Counters) {
        self.handled += counters.handled.load(Ordering::Relaxed);
        self.errors += counters.errors.load(Ordering::Relaxed);
        self.panics += counters.panics.load(Ordering::Relaxed);
        let timed = counters.timed.load(Ordering::Relaxed);
        self.mean_ns = counters.nanoseconds.load(Ordering::Relaxed).checked_div(timed);
    }
}

struct Link<P: Payload> {
    handler: Arc<Handler<P>>,
    /// Dispatches that ended here.
    stopped: AtomicU64,
}

/// The handlers of one event, in the order they run.
pub(crate) struct Chain<P: Payload> {
    links: Box<[Link<P>]>,
    fired: AtomicU64,
    all_sync: bool,
}

impl<P: Payload> std::fmt::Debug for Chain<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.links.iter().map(|link| link.handler.meta)).finish()
    }
}

/// What a chain came to, and who decided.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) by: Option<&'static HookMeta>,
}

impl Verdict {
    pub(crate) const CONTINUE: Self = Self { outcome: Outcome::Continue, by: None };

    pub(crate) fn goes_on(&self) -> bool {
        matches!(self.outcome, Outcome::Continue)
    }
}

/// Where a run of sync handlers ended.
enum Run {
    Done(Verdict),
    /// The handler at this place has to be awaited.
    Await(usize),
}

impl<P: Payload> Chain<P> {
    pub(crate) fn new(handlers: impl IntoIterator<Item = Arc<Handler<P>>>) -> Self {
        let links: Box<[_]> = handlers
            .into_iter()
            .map(|handler| Link { handler, stopped: AtomicU64::new(0) })
            .collect();
        let all_sync = links.iter().all(|link| matches!(link.handler.call, Call::Sync(_)));
        Self { links, fired: AtomicU64::new(0), all_sync }
    }

    pub(crate) fn is_sync(&self) -> bool {
        self.all_sync
    }

    /// How often each handler was called in this chain.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&Arc<Handler<P>>, u64)> {
        let mut left = self.fired.load(Ordering::Relaxed);
        self.links.iter().map(move |link| {
            let calls = left;
            left = left.saturating_sub(link.stopped.load(Ordering::Relaxed));
            (&link.handler, calls)
        })
    }

    /// Runs the handlers in order until one stops the chain.
    ///
    /// A handler that panics is logged and counted. In observers, notifications and collect events
    /// the next handler then runs; elsewhere the chain stops with `Outcome::Panicked`.
    pub(crate) async fn fire(&self, payload: &mut P::Of<'_>) -> Verdict {
        let mut at = match self.start(payload) {
            Run::Done(verdict) => return verdict,
            Run::Await(at) => at,
        };
        while let Some(link) = self.links.get(at) {
            if let Call::Async(call) = &link.handler.call {
                let outcome = Contained::new(link.handler.meta, || call.call(payload)).await;
                if let Some(verdict) = self.settle(at, outcome) {
                    return verdict;
                }
                at += 1;
            }
            match self.run(at, payload, false) {
                Run::Done(verdict) => return verdict,
                Run::Await(next) => at = next,
            }
        }
        Verdict::CONTINUE
    }

    /// Runs a chain whose handlers are all sync; one that is not is left at its first async
    /// handler, so ask [`Chain::is_sync`] first.
    pub(crate) fn fire_sync(&self, payload: &mut P::Of<'_>) -> Verdict {
        match self.start(payload) {
            Run::Done(verdict) => verdict,
            Run::Await(_) => Verdict::CONTINUE,
        }
    }

    #[inline]
    fn start(&self, payload: &mut P::Of<'_>) -> Run {
        if self.links.is_empty() {
            return Run::Done(Verdict::CONTINUE);
        }
        let ticket = self.fired.fetch_add(1, Ordering::Relaxed);
        self.run(0, payload, ticket.is_multiple_of(TIMED))
    }

    /// Runs sync handlers from `at` on. One `catch_unwind` covers the whole run; after a handler
    /// that panicked and is contained, the rest is resumed.
    fn run(&self, mut at: usize, payload: &mut P::Of<'_>, timed: bool) -> Run {
        loop {
            // A handler that panics may leave the payload half changed: the chain then stops,
            // unless the handler could only read it or decides nothing.
            let ran = catch_unwind(AssertUnwindSafe(|| {
                while let Some(link) = self.links.get(at) {
                    let Call::Sync(call) = &link.handler.call else {
                        return Some(Run::Await(at));
                    };
                    let outcome = if timed {
                        let started = Instant::now();
                        let outcome = call(payload);
                        link.handler.counters.time(started.elapsed());
                        outcome
                    } else {
                        call(payload)
                    };
                    if !matches!(outcome, Outcome::Continue) {
                        return self.settle(at, outcome).map(Run::Done);
                    }
                    at += 1;
                }
                Some(Run::Done(Verdict::CONTINUE))
            }));
            match ran {
                Ok(Some(run)) => return run,
                Ok(None) => {}
                Err(panic) => {
                    self.report(at, &*panic);
                    if let Some(verdict) = self.settle(at, Outcome::Panicked) {
                        return Run::Done(verdict);
                    }
                }
            }
            at += 1;
        }
    }

    /// Counts what the handler at `at` came to; `None` means that the chain goes on.
    fn settle(&self, at: usize, outcome: Outcome) -> Option<Verdict> {
        if matches!(outcome, Outcome::Continue) {
            return None;
        }
        let link = self.links.get(at)?;
        link.handler.counters.outcome(&outcome);
        if link.handler.contained && matches!(outcome, Outcome::Panicked) {
            return None;
        }
        link.stopped.fetch_add(1, Ordering::Relaxed);
        Some(Verdict { outcome, by: Some(link.handler.meta) })
    }

    fn report(&self, at: usize, panic: &(dyn Any + Send)) {
        if let Some(link) = self.links.get(at) {
            report_panic(link.handler.meta, panic);
        }
    }
}

fn report_panic(meta: &HookMeta, panic: &(dyn Any + Send)) {
    let message = panic_message(panic);
    tracing::error!(
        handler = %meta.id(), event = meta.event, file = meta.file, line = meta.line,
        "a handler panicked: {message}"
    );
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// A handler's future whose panics, when it is made and at each poll, become an outcome.
struct Contained<'a> {
    meta: &'static HookMeta,
    future: Option<BoxFuture<'a, Outcome>>,
}

impl<'a> Contained<'a> {
    fn new(meta: &'static HookMeta, make: impl FnOnce() -> BoxFuture<'a, Outcome>) -> Self {
        let future = catch_unwind(AssertUnwindSafe(make))
            .inspect_err(|panic| report_panic(meta, &**panic))
            .ok();
        Self { meta, future }
    }
}

impl Future for Contained<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Outcome> {
        let Some(future) = &mut self.future else { return Poll::Ready(Outcome::Panicked) };
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))).unwrap_or_else(|panic| {
            report_panic(self.meta, &*panic);
            // A future that panicked must not be polled again.
            self.future = None;
            Poll::Ready(Outcome::Panicked)
        })
    }
}
