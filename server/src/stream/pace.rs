//! How fast a stream is read: who sends more than the limits allow waits, and nobody else.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use event_core::SessionKind;
use tokio::time::{Instant, Sleep, sleep};

use crate::config::Limits;

/// The share of time that a stream may be made to wait for ever: who sends a bit too much does no
/// harm, who floods waits nearly always.
const TOLERATED: f32 = 0.5;

/// Bytes that are read of a stream at a time before it is the others' turn.
const TURN: u32 = 32 * 1024;

/// The pace of one stream.
#[derive(Debug)]
pub(super) struct Pace {
    bytes: Bucket,
    stanzas: Bucket,
    /// Seconds that the stream may still be made to wait before it counts as a flood.
    patience: Bucket,
    wait: Option<Pin<Box<Sleep>>>,
    /// Bytes read since the others had their turn.
    run: u32,
    /// Stanzas that the bucket does not know of yet: asking for the time was much of what one cost.
    /// A read has room for no more.
    new_stanzas: u16,
    is_lifted: bool,
}

/// The stream has been sent more than the limits allow, for too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flood;

impl Pace {
    pub(super) fn new(limits: &Limits, kind: SessionKind) -> Self {
        let (bytes, stanzas) = match kind {
            SessionKind::Client => (limits.bytes_per_second, limits.stanzas_per_second),
            _ => (limits.server_bytes_per_second, limits.server_stanzas_per_second),
        };
        let burst = limits.burst_seconds;
        let now = Instant::now();
        Self {
            bytes: Bucket::new(bytes as f32, burst, now),
            stanzas: Bucket::new(stanzas as f32, burst, now),
            patience: Bucket::new(TOLERATED, limits.flood_seconds.saturating_mul(2), now),
            wait: None,
            run: 0,
            new_stanzas: 0,
            is_lifted: false,
        }
    }

    /// So much was read.
    pub(super) fn read(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.run = self.run.saturating_add(bytes);
        self.bytes.take(bytes, Instant::now());
    }

    /// One stanza was read.
    pub(super) fn stanza(&mut self) {
        self.new_stanzas = self.new_stanzas.saturating_add(1);
    }

    /// Ready when more may be read.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Flood>> {
        if self.is_lifted {
            return Poll::Ready(Ok(()));
        }
        if self.run >= TURN {
            self.run = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(cx));
                self.wait = None;
            }
            let now = Instant::now();
            self.stanzas.take(std::mem::take(&mut self.new_stanzas), now);
            let debt = self.bytes.debt(now).max(self.stanzas.debt(now));
            if debt.is_zero() {
                return Poll::Ready(Ok(()));
            }
            self.patience.take(debt.as_secs_f64(), now);
            if !self.patience.debt(now).is_zero() {
                return Poll::Ready(Err(Flood));
            }
            self.wait = Some(Box::pin(sleep(debt)));
        }
    }

    /// From now on what comes is only thrown away.
    pub(super) fn lift(&mut self) {
        self.is_lifted = true;
    }
}

/// A steady rate that may be exceeded for a burst.
#[derive(Debug)]
struct Bucket {
    /// When all that was taken would have been allowed, had it come steadily.
    due: Instant,
    per_second: f32,
    /// How many seconds' worth may be taken at once.
    burst: u32,
}

/// A debt is forgiven after a day, whatever was taken.
const MOST: f64 = 86_400.0;

impl Bucket {
    fn new(per_second: f32, burst: u32, now: Instant) -> Self {
        Self { due: now, per_second, burst }
    }

    fn take(&mut self, amount: impl Into<f64>, now: Instant) {
        let seconds = (amount.into() / f64::from(self.per_second)).min(MOST);
        let latest = now + Duration::from_secs_f64(MOST);
        self.due = (self.due.max(now) + Duration::from_secs_f64(seconds)).min(latest);
    }

    /// How long it takes until it is no longer overdrawn.
    fn debt(&self, now: Instant) -> Duration {
        let burst = Duration::from_secs(self.burst.into());
        let debt = self.due.saturating_duration_since(now).saturating_sub(burst);
        // Less than the timer's grain is no debt.
        if debt < Duration::from_millis(1) { Duration::ZERO } else { debt }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn limits() -> Limits {
        Limits {
            bytes_per_second: 1000,
            stanzas_per_second: 10,
            server_bytes_per_second: 10_000,
            server_stanzas_per_second: 100,
            burst_seconds: 2,
            flood_seconds: 10,
            ..Limits::default()
        }
    }

    /// How long the next read has to wait.
    async fn waits(pace: &mut Pace) -> Result<f64, Flood> {
        let before = Instant::now();
        poll_fn(|cx| pace.poll(cx)).await?;
        Ok(before.elapsed().as_secs_f64())
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_what_is_more_waits() {
        let mut pace = Pace::new(&limits(), SessionKind::Client);
        pace.read(2000);
        assert_eq!(waits(&mut pace).await, Ok(0.0));
        pace.read(3000);
        let waited = waits(&mut pace).await.unwrap();
        assert!((3.0..3.1).contains(&waited), "{waited}");
        for _ in 0..20 {
            pace.stanza();
        }
        assert_eq!(waits(&mut pace).await, Ok(0.0));
        for _ in 0..5 {
            pace.stanza();
        }
        let waited = waits(&mut pace).await.unwrap();
        assert!((0.5..0.6).contains(&waited), "{waited}");
        // Whoever was quiet for long enough may send a burst again, and no more than one.
        tokio::time::advance(Duration::from_secs(1000)).await;
        pace.read(2000);
        assert_eq!(waits(&mut pace).await, Ok(0.0));
    }

    #[tokio::test]
    async fn others_have_their_turn() {
        let mut pace = Pace::new(&Limits::default(), SessionKind::Client);
        pace.read(TURN as usize);
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            pace.poll(cx)
        })
        .await
        .unwrap();
        assert_eq!(polls, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn servers_have_limits_of_their_own() {
        for kind in [SessionKind::S2sIn, SessionKind::S2sOut, SessionKind::Component] {
            let mut pace = Pace::new(&limits(), kind);
            pace.read(20_000);
            assert_eq!(waits(&mut pace).await, Ok(0.0));
            pace.read(10_000);
            let waited = waits(&mut pace).await.unwrap();
            assert!((1.0..1.1).contains(&waited), "{waited}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_flood_that_lasts_is_one() {
        let mut steady = Pace::new(&limits(), SessionKind::Client);
        for _ in 0..1000 {
            tokio::time::advance(Duration::from_secs(1)).await;
            steady.read(1200);
            assert!(waits(&mut steady).await.is_ok(), "a bit too much, for ever");
        }
        let mut flood = Pace::new(&limits(), SessionKind::Client);
        let begun = Instant::now();
        let end = loop {
            flood.read(500);
            if let Err(end) = waits(&mut flood).await {
                break end;
            }
        };
        assert_eq!(end, Flood);
        let seconds = begun.elapsed().as_secs();
        assert!((15..30).contains(&seconds), "{seconds}");
        flood.lift();
        assert_eq!(waits(&mut flood).await, Ok(0.0));
    }
}
