//! Shared by all modes: the sessions, the workers, and the measured window.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::meter::{Report, Stats, rss_kib, snap};
use crate::options::{Options, Res};
use crate::xmpp::{Conn, Target};

/// The phase of a run, set by the main task for the workers.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Phase {
    Run,
    /// Send nothing new and wait for stanzas in flight.
    Drain,
    Abort,
}

pub(crate) struct Run {
    pub(crate) options: Options,
    pub(crate) target: Target,
    pub(crate) stats: Stats,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) first: usize,
    pub(crate) window: usize,
}

impl Run {
    pub(crate) fn new(options: Options) -> Res<Self> {
        Ok(Self {
            target: Target::new(&options)?,
            stats: Stats::new(),
            phase: watch::Sender::new(Phase::Run),
            first: options.num("first", 0)?,
            window: options.num("window", 10)?,
            options,
        })
    }

    /// The fields that begin the report of every mode.
    pub(crate) fn report(&self, mode: &str) -> Report {
        let mut r = Report::default();
        r.text("mode", mode);
        r.text("label", self.options.text("label", ""));
        r.text("tls", self.options.text("tls", "none"));
        r
    }

    /// Runs warm-up, measured window and drain, then prints the report.
    pub(crate) async fn measure(&self, mut r: Report, workers: JoinSet<()>) -> Res<()> {
        let pids = &self.options.pids;
        sleep(self.options.secs("warmup", 2.0)?).await;
        self.stats.recording.store(true, Relaxed);
        let before = snap(pids, &self.stats);
        let end = Instant::now() + self.options.secs("secs", 10.0)?;
        let mut peak = rss_kib(pids);
        while let left = end.saturating_duration_since(Instant::now())
            && !left.is_zero()
        {
            sleep(left.min(Duration::from_millis(250))).await;
            peak = peak.max(rss_kib(pids));
        }
        let after = snap(pids, &self.stats);
        self.stats.recording.store(false, Relaxed);
        self.drain(workers).await;
        r.window(&before, &after);
        r.counters(&self.stats);
        r.times("", &self.stats.times());
        r.int("peak_rss_kib", peak);
        r.print();
        Ok(())
    }

    /// Drains the workers; aborts those that do not end in time.
    pub(crate) async fn drain(&self, mut workers: JoinSet<()>) {
        self.stats.stopping.store(true, Relaxed);
        self.phase.send_replace(Phase::Drain);
        let all = async { while workers.join_next().await.is_some() {} };
        if timeout(Duration::from_secs(3), all).await.is_err() {
            self.phase.send_replace(Phase::Abort);
            let all = async { while workers.join_next().await.is_some() {} };
            let _ = timeout(Duration::from_secs(2), all).await;
        }
    }
}

/// Logs in the first `n` accounts.
pub(crate) async fn sessions(run: &Arc<Run>, n: usize, online: bool) -> Res<Vec<Conn>> {
    sessions_from(run, run.first, n, online).await
}

/// Logs in accounts `first..first + n`, several at a time, and returns them in order.
pub(crate) async fn sessions_from(
    run: &Arc<Run>,
    first: usize,
    n: usize,
    online: bool,
) -> Res<Vec<Conn>> {
    let conc = run.options.num("conc", 16)?;
    let next = Arc::new(AtomicUsize::new(0));
    let mut set = JoinSet::new();
    for _ in 0..conc.min(n) {
        let (run, next) = (run.clone(), next.clone());
        set.spawn(async move {
            let mut got = Vec::new();
            loop {
                let i = next.fetch_add(1, Relaxed);
                if i >= n {
                    return Ok(got);
                }
                let login = async {
                    let mut c = Conn::login(&run.target, first + i).await?;
                    if online {
                        c.go_online(&run.target).await?;
                    }
                    Ok::<_, io::Error>(c)
                };
                match timeout(Duration::from_secs(30), login).await {
                    Ok(Ok(c)) => got.push((i, c)),
                    Ok(Err(e)) => return Err(format!("login {i}: {e}")),
                    Err(_) => return Err(format!("login {i}: no answer in 30 s")),
                }
            }
        });
    }
    let mut all = Vec::new();
    while let Some(part) = set.join_next().await {
        all.extend(part.map_err(|e| e.to_string())??);
    }
    all.sort_by_key(|(i, _)| *i);
    Ok(all.into_iter().map(|(_, c)| c).collect())
}

pub(crate) async fn close(all: Vec<Conn>) {
    let mut set = JoinSet::new();
    for c in all {
        set.spawn(c.close());
    }
    while set.join_next().await.is_some() {}
}

/// Spawns a worker and counts its I/O error, if any.
pub(crate) fn work<F>(set: &mut JoinSet<()>, run: &Arc<Run>, f: F)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let run = run.clone();
    set.spawn(async move {
        if let Err(e) = f.await
            && run.stats.errors.fetch_add(1, Relaxed) == 0
        {
            eprintln!("worker: {e}");
        }
    });
}
