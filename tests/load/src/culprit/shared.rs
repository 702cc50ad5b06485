//! Shared by all culprits: the stages of a run and the results.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::meter::Report;
use crate::run::Run;
use crate::xmpp::attr;

#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Stage {
    Ready,
    Go,
    Stop,
}

/// The results of the culprits and of the clients that communicate with them.
#[derive(Default)]
pub(crate) struct Tally {
    pub(super) clients: usize,
    /// How the culprits' streams ended.
    pub(super) ends: Mutex<BTreeMap<String, u64>>,
    /// The messages delivered, connections accepted, requests answered and keys sent.
    pub(super) done: AtomicU64,
    pub(super) refused: AtomicU64,
    /// The messages that were accepted but not delivered.
    pub(super) lost: AtomicU64,
    /// The streams of other clients that ended.
    pub(super) harmed: AtomicU64,
}

impl Tally {
    pub(super) fn end(&self, how: &str) {
        *self.ends.lock().expect("another task panicked").entry(how.into()).or_default() += 1;
    }

    pub(crate) fn report(&self, r: &mut Report) {
        r.int("clients", self.clients as u64);
        let ends = self.ends.lock().expect("another task panicked");
        let ends: Vec<String> = ends.iter().map(|(how, n)| format!("{how} {n}")).collect();
        r.text("ends", &ends.join(", "));
        r.int("done", self.done.load(Relaxed));
        r.int("refused", self.refused.load(Relaxed));
        r.int("taken_and_lost", self.lost.load(Relaxed));
        r.int("harmed", self.harmed.load(Relaxed));
    }
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) run: Arc<Run>,
    pub(super) stage: watch::Receiver<Stage>,
    pub(super) tally: Arc<Tally>,
    pub(super) clients: usize,
    /// The first free account.
    pub(super) first: usize,
}

impl Shared {
    pub(super) async fn until(&self, stage: Stage) {
        let _ = self.stage.clone().wait_for(|s| *s >= stage).await;
    }

    pub(super) fn is_over(&self) -> bool {
        *self.stage.borrow() == Stage::Stop
    }

    /// Runs `work` between the stages `Go` and `Stop`; `None` if `Stop` came first.
    pub(super) async fn run_work<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.until(Stage::Go).await;
        tokio::select! {
            () = self.until(Stage::Stop) => None,
            done = work => Some(done),
        }
    }

    /// Runs `work` of a client that stays within the limits. An error counts as harm.
    pub(super) async fn run_bystander<T>(&self, work: impl Future<Output = io::Result<T>>) {
        if let Some(Err(e)) = self.run_work(work).await {
            self.count_harm(&e);
        }
    }

    pub(super) fn count_harm(&self, e: &io::Error) {
        if self.tally.harmed.fetch_add(1, Relaxed) == 0 {
            eprintln!("harmed: {e}");
        }
    }

    pub(super) fn count_answer(&self, answer: &[u8]) {
        let is_error = attr(answer, "type") == Some(b"error");
        let counter = if is_error { &self.tally.refused } else { &self.tally.done };
        counter.fetch_add(1, Relaxed);
    }
}
