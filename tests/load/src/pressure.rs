//! Pairs that chat, first alone, then while other clients overload the server.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};

use crate::culprit::{Culprits, Kind};
use crate::ledger::Ledger;
use crate::meter::{Times, rss_kib, snap};
use crate::mix::Mix;
use crate::options::Res;
use crate::run::{Phase, Run, sessions, work};
use crate::xmpp::{Conn, Event, attr, number};

/// The maximum number of messages of one pair in flight, high enough to keep sending to a stalled
/// server.
const SLOTS: usize = 4096;

/// The time limit of a login after the overload.
const LOGIN: Duration = Duration::from_secs(10);

pub(crate) async fn pressure(run: &Arc<Run>) -> Res<()> {
    let options = &run.options;
    let kind = Kind::parse(options)?;
    let pairs = options.num("pairs", 50)?;
    let rate = options.num("rate", 20)?;
    let pids = &options.pids;
    let mut all = sessions(run, pairs * 2, true).await?.into_iter();
    let free = run.first + 2 * pairs;
    // One login, so that the keys of the password are derived before the measured window.
    Conn::login(&run.target, free).await.map_err(|e| e.to_string())?.close().await;
    let culprits = Culprits::ready(run, kind, free + 1).await?;
    let every = Duration::from_secs(1) / rate as u32;
    let began = Instant::now();
    let mut set = JoinSet::new();
    let mut p = 0;
    while let (Some(s), Some(r)) = (all.next(), all.next()) {
        let to = if p % 2 == 0 { r.jid.clone() } else { run.target.bare(run.first + 2 * p + 1) };
        let first = began + every * p as u32 / pairs as u32;
        work(&mut set, run, pair(run.clone(), s, r, Mix::plain(&to, 100), first, every));
        p += 1;
    }
    sleep(options.secs("warmup", 2.0)?).await;
    run.stats.recording.store(true, Relaxed);
    sleep(options.secs("quiet", 10.0)?).await;
    let quiet = run.stats.times();
    let rss = rss_kib(pids);

    let blocker = Blocker::begin(options.text("start", "")).await?;
    culprits.go();
    let before = snap(pids, &run.stats);
    let pressed = Instant::now();
    let end = pressed + options.secs("secs", 10.0)?;
    let (peak, newcomers) = tokio::join!(peak(pids, end), newcomers(run, free, end));
    let after = snap(pids, &run.stats);
    let loud = run.stats.times();
    run.stats.recording.store(false, Relaxed);
    blocker.end().await;
    let ended = culprits.stop().await?;
    let accepts = matches!(timeout(LOGIN, Conn::login(&run.target, free)).await, Ok(Ok(_)));
    run.drain(set).await;

    let mut r = run.report("pressure");
    r.text("culprit", options.text("culprit", ""));
    r.int("pairs", pairs as u64);
    r.int("rate", rate as u64);
    r.window(&before, &after);
    r.times("quiet_", &quiet);
    r.times("", &loud);
    r.num("p99_ratio", ratio(&quiet, &loud));
    r.counters(&run.stats);
    r.int("rss_before_kib", rss);
    r.int("peak_rss_kib", peak);
    r.int("newcomers", newcomers.done);
    r.int("newcomers_failed", newcomers.failed);
    r.num("newcomers_max_ms", newcomers.longest.as_secs_f64() * 1e3);
    ended.report(&mut r);
    r.text("accepts", if accepts { "yes" } else { "no" });
    r.print();
    Ok(())
}

fn ratio(quiet: &Times, loud: &Times) -> f64 {
    loud.p99 as f64 / quiet.p99 as f64
}

/// Sends at a fixed rate, even if few messages arrive.
async fn pair(
    run: Arc<Run>,
    mut s: Conn,
    mut r: Conn,
    mix: Mix,
    first: Instant,
    every: Duration,
) -> io::Result<()> {
    let mut ledger = Ledger::new(SLOTS / 4);
    let mut phase = run.phase.subscribe();
    let mut tick = interval_at(first.into(), every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut out = Vec::new();
    let mut ending = Phase::Run;
    let end = loop {
        let now = run.stats.now_us();
        while let Some(e) = r.framer.next() {
            if let Event::Stanza(m) = e
                && m.starts_with(b"<message")
                && let Some(seq) = attr(m, "id").and_then(number)
            {
                ledger.arrive(seq, now, &run.stats);
            }
        }
        while let Some(e) = s.framer.next() {
            if let Event::Stanza(m) = e
                && attr(m, "type") == Some(b"error")
            {
                run.stats.errors.fetch_add(1, Relaxed);
            }
        }
        if ending != Phase::Run && (ledger.on_the_way() == 0 || ending == Phase::Abort) {
            break Ok(());
        }
        let io = tokio::select! {
            x = r.fill() => x,
            x = s.fill() => x,
            _ = phase.changed() => { ending = *phase.borrow_and_update(); Ok(()) }
            _ = tick.tick(), if ending == Phase::Run && ledger.room(SLOTS) > 0 => {
                out.clear();
                mix.write(ledger.send(run.stats.now_us()), &mut out);
                s.send(&out).await
            }
        };
        if io.is_err() {
            break io;
        }
    };
    run.stats.lost.fetch_add(ledger.on_the_way(), Relaxed);
    if end.is_ok() {
        tokio::join!(s.close(), r.close());
    }
    end
}

/// The server's maximum memory until `end`.
async fn peak(pids: &[u32], end: Instant) -> u64 {
    let mut peak = rss_kib(pids);
    while let left = end.saturating_duration_since(Instant::now())
        && !left.is_zero()
    {
        sleep(left.min(Duration::from_millis(100))).await;
        peak = peak.max(rss_kib(pids));
    }
    peak
}

#[derive(Default)]
struct Newcomers {
    done: u64,
    failed: u64,
    longest: Duration,
}

/// Logs in and out repeatedly with an account that takes no part in the overload.
async fn newcomers(run: &Run, account: usize, end: Instant) -> Newcomers {
    let mut all = Newcomers::default();
    while Instant::now() < end {
        let began = Instant::now();
        let left = LOGIN.min(end.saturating_duration_since(began));
        match timeout(left, Conn::login(&run.target, account)).await {
            Ok(Ok(c)) => {
                all.longest = all.longest.max(began.elapsed());
                all.done += 1;
                c.close().await;
            }
            _ => all.failed += 1,
        }
        sleep(Duration::from_millis(100)).await;
    }
    all
}

/// A command that blocks a resource of the server, from the command's first line of output until
/// its standard input ends.
struct Blocker(Option<Child>);

impl Blocker {
    async fn begin(command: &str) -> Res<Self> {
        if command.is_empty() {
            return Ok(Self(None));
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec {command}")]).kill_on_drop(true);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().map_err(|e| format!("{command}: {e}"))?;
        let told = child.stdout.take().expect("stdout is not piped");
        let line = BufReader::new(told).lines().next_line().await.map_err(|e| e.to_string())?;
        line.map(|_| Self(Some(child))).ok_or(format!("{command}: failed"))
    }

    async fn end(self) {
        if let Self(Some(mut child)) = self {
            drop(child.stdin.take());
            let _ = child.wait().await;
        }
    }
}
