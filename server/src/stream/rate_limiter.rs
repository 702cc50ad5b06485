//! Limits how fast a stream is read. Only a peer that sends more than the limits allow has to wait.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use event_core::{
    SessionKind,
    cost::Cost,
    rate::{Rate, TokenBucket},
};
use tokio::time::{Instant, Sleep, sleep};

use crate::config::Limits;

/// The share of time that a stream may wait for ever without being ended. A peer that sends
/// slightly too much waits less; a flood waits nearly always.
const TOLERATED: f32 = 0.5;

/// The number of bytes that are read from a stream before other tasks run.
const RUN: u16 = 32 * 1024;

/// A debt that is shorter than the resolution of the timer is ignored.
const RESOLUTION: Duration = Duration::from_millis(1);

/// The rate limits of one stream.
#[derive(Debug)]
pub(super) struct RateLimiter {
    bytes: Limit,
    stanzas: Limit,
    /// The seconds that the stream may still wait before it counts as a flood.
    waiting: Limit,
    wait: Option<Pin<Box<Sleep>>>,
    /// The bytes that were read since other tasks ran.
    run: u16,
    /// The stanzas that are not taken from the bucket yet. They are taken together, because reading
    /// the clock for each stanza is expensive.
    new_stanzas: u32,
    is_disabled: bool,
}

/// A bucket with its rate.
#[derive(Debug)]
struct Limit {
    bucket: TokenBucket,
    rate: Rate,
}

/// The peer has sent more than the limits allow, for too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flood;

impl RateLimiter {
    pub(super) fn new(limits: &Limits, kind: SessionKind) -> Self {
        let (bytes, stanzas) = match kind {
            SessionKind::Client => (limits.bytes_per_second, limits.stanzas_per_second),
            _ => (limits.server_bytes_per_second, limits.server_stanzas_per_second),
        };
        let burst = limits.burst_seconds;
        let now = Instant::now();
        Self {
            bytes: Limit::new(bytes as f32, burst, now),
            stanzas: Limit::new(stanzas as f32, burst, now),
            waiting: Limit::new(TOLERATED, limits.flood_seconds.saturating_mul(2), now),
            wait: None,
            run: 0,
            new_stanzas: 0,
            is_disabled: false,
        }
    }

    /// Counts bytes that were read.
    pub(super) fn count_bytes(&mut self, bytes: usize) {
        self.run = self.run.saturating_add(u16::try_from(bytes).unwrap_or(u16::MAX));
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.bytes.take(bytes, Instant::now());
    }

    /// Counts one stanza that was read.
    pub(super) fn count_stanza(&mut self) {
        self.new_stanzas = self.new_stanzas.saturating_add(1);
    }

    /// Counts what the handlers of a stanza cost.
    pub(super) fn count_cost(&mut self, cost: Cost) {
        self.new_stanzas = self.new_stanzas.saturating_add(cost.stanzas);
        if cost.bytes > 0 {
            self.bytes.take(cost.bytes, Instant::now());
        }
    }

    /// Ready when more may be read.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Flood>> {
        if self.is_disabled {
            return Poll::Ready(Ok(()));
        }
        if self.run >= RUN {
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
            self.waiting.take(debt.as_secs_f64(), now);
            if !self.waiting.debt(now).is_zero() {
                return Poll::Ready(Err(Flood));
            }
            self.wait = Some(Box::pin(sleep(debt)));
        }
    }

    /// Disables the limits, because all further bytes are discarded.
    pub(super) fn disable(&mut self) {
        self.is_disabled = true;
    }
}

impl Limit {
    fn new(per_second: f32, burst_seconds: u32, now: Instant) -> Self {
        Self { bucket: TokenBucket::new(now), rate: Rate { per_second, burst_seconds } }
    }

    fn take(&mut self, amount: impl Into<f64>, now: Instant) {
        self.bucket.take(amount, self.rate, now);
    }

    fn debt(&self, now: Instant) -> Duration {
        let debt = self.bucket.debt(self.rate, now);
        if debt < RESOLUTION { Duration::ZERO } else { debt }
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

    /// The seconds that the next read has to wait.
    async fn waits(limiter: &mut RateLimiter) -> Result<f64, Flood> {
        let before = Instant::now();
        poll_fn(|cx| limiter.poll(cx)).await?;
        Ok(before.elapsed().as_secs_f64())
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_what_is_more_waits() {
        let mut limiter = RateLimiter::new(&limits(), SessionKind::Client);
        limiter.count_bytes(2000);
        assert_eq!(waits(&mut limiter).await, Ok(0.0));
        limiter.count_bytes(3000);
        let waited = waits(&mut limiter).await.unwrap();
        assert!((3.0..3.1).contains(&waited), "{waited}");
        for _ in 0..20 {
            limiter.count_stanza();
        }
        assert_eq!(waits(&mut limiter).await, Ok(0.0));
        for _ in 0..5 {
            limiter.count_stanza();
        }
        let waited = waits(&mut limiter).await.unwrap();
        assert!((0.5..0.6).contains(&waited), "{waited}");
        // After a long pause, one burst is allowed again.
        tokio::time::advance(Duration::from_secs(1000)).await;
        limiter.count_bytes(2000);
        assert_eq!(waits(&mut limiter).await, Ok(0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_stanza_costs_waits_like_what_is_read() {
        let mut limiter = RateLimiter::new(&limits(), SessionKind::Client);
        limiter.count_cost(Cost { stanzas: 20, bytes: 2000 });
        assert_eq!(waits(&mut limiter).await, Ok(0.0));
        limiter.count_cost(Cost { stanzas: 5, bytes: 0 });
        let waited = waits(&mut limiter).await.unwrap();
        assert!((0.5..0.6).contains(&waited), "{waited}");
        limiter.count_cost(Cost { stanzas: 0, bytes: 3500 });
        let waited = waits(&mut limiter).await.unwrap();
        assert!((2.9..3.1).contains(&waited), "{waited}");
    }

    #[tokio::test]
    async fn other_tasks_run_between() {
        let mut limiter = RateLimiter::new(&Limits::default(), SessionKind::Client);
        limiter.count_bytes(RUN.into());
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            limiter.poll(cx)
        })
        .await
        .unwrap();
        assert_eq!(polls, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn servers_have_limits_of_their_own() {
        for kind in [SessionKind::S2sIn, SessionKind::S2sOut, SessionKind::Component] {
            let mut limiter = RateLimiter::new(&limits(), kind);
            limiter.count_bytes(20_000);
            assert_eq!(waits(&mut limiter).await, Ok(0.0));
            limiter.count_bytes(10_000);
            let waited = waits(&mut limiter).await.unwrap();
            assert!((1.0..1.1).contains(&waited), "{waited}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_flood_that_lasts_is_one() {
        let mut steady = RateLimiter::new(&limits(), SessionKind::Client);
        for _ in 0..1000 {
            tokio::time::advance(Duration::from_secs(1)).await;
            steady.count_bytes(1200);
            assert!(
                waits(&mut steady).await.is_ok(),
                "a stream slightly above the rate is not a flood"
            );
        }
        let mut flood = RateLimiter::new(&limits(), SessionKind::Client);
        let begun = Instant::now();
        let end = loop {
            flood.count_bytes(500);
            if let Err(end) = waits(&mut flood).await {
                break end;
            }
        };
        assert_eq!(end, Flood);
        let seconds = begun.elapsed().as_secs();
        assert!((15..30).contains(&seconds), "{seconds}");
        flood.disable();
        assert_eq!(waits(&mut flood).await, Ok(0.0));
    }
}
