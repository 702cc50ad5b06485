//! The number of calls of handlers, and what the handlers returned.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::dispatch::outcome::Outcome;

/// The errors, panics and timed calls of a handler. The number of calls follows from the counts of
/// the chains.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) errors: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) timed: AtomicU64,
    pub(crate) nanoseconds: AtomicU64,
}

impl Counters {
    pub(crate) fn outcome(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Continue | Outcome::Handled | Outcome::Reply(_) => return,
            Outcome::Error(_) | Outcome::Stream(_) => &self.errors,
            Outcome::Panicked => &self.panics,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn time(&self, took: Duration) {
        self.timed.fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// The figures of the handler. `contained` says whether chains go on after a panic of the handler;
    /// such a panic is not among the stops.
    pub(crate) fn stats(&self, Passes { calls, stops }: Passes, contained: bool) -> HandlerStats {
        let errors = self.errors.load(Ordering::Relaxed);
        let panics = self.panics.load(Ordering::Relaxed);
        let others = errors + if contained { 0 } else { panics };
        HandlerStats {
            calls,
            handled: stops.saturating_sub(others),
            errors,
            panics,
            timed: self.timed.load(Ordering::Relaxed),
            timed_ns: self.nanoseconds.load(Ordering::Relaxed),
        }
    }
}

/// How often chains called a handler, and how often they stopped at the handler.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Passes {
    pub(crate) calls: u64,
    pub(crate) stops: u64,
}

impl std::ops::AddAssign for Passes {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.stops += other.stops;
    }
}

/// A handler's figures, as `spondee hooks --json` shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandlerStats {
    /// The number of calls.
    pub calls: u64,
    /// The number of calls that ended the chain without an error.
    pub handled: u64,
    /// The number of calls that returned an error.
    pub errors: u64,
    /// The number of calls that panicked.
    pub panics: u64,
    /// The number of timed calls, which are a sample.
    pub timed: u64,
    /// The sum of the durations of the timed calls, in nanoseconds.
    pub timed_ns: u64,
}

impl HandlerStats {
    /// The mean duration of the timed calls, in nanoseconds.
    pub fn mean_ns(&self) -> Option<u64> {
        self.timed_ns.checked_div(self.timed)
    }
}

impl std::ops::AddAssign for HandlerStats {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.handled += other.handled;
        self.errors += other.errors;
        self.panics += other.panics;
        self.timed += other.timed;
        self.timed_ns += other.timed_ns;
    }
}
