//! Rate limits, and the address to which a limit applies.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use tokio::time::Instant;

/// The maximum debt in seconds: one day.
const MAX_DEBT: f64 = 86_400.0;

/// A rate with a burst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The amount that may be taken in one second.
    pub per_second: f32,
    /// The amount that may be taken at once, in seconds of the rate.
    pub burst_seconds: u32,
}

impl Rate {
    fn burst(self) -> Duration {
        Duration::from_secs(self.burst_seconds.into())
    }
}

/// A token bucket, stored as the time at which the bucket will be full. The [`Rate`] is an argument
/// of each call, so that the rate can change and buckets can share a rate.
///
/// ```
/// use event_core::rate::{Rate, TokenBucket};
/// use tokio::time::{Duration, Instant};
///
/// let rate = Rate { per_second: 1.0, burst_seconds: 2 };
/// let now = Instant::now();
/// let mut bucket = TokenBucket::new(now);
/// assert!(bucket.try_take(1.0, rate, now) && bucket.try_take(1.0, rate, now));
/// assert!(!bucket.try_take(1.0, rate, now));
/// assert!(bucket.try_take(1.0, rate, now + Duration::from_secs(1)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    /// The time at which the bucket will be full.
    full_at: Instant,
}

impl TokenBucket {
    /// Makes a full bucket.
    pub fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes `amount`, even if the bucket contains less. The difference becomes a debt.
    pub fn take(&mut self, amount: impl Into<f64>, rate: Rate, now: Instant) {
        let latest = now + Duration::from_secs_f64(MAX_DEBT);
        self.full_at = self.after(amount.into(), rate, now).min(latest);
    }

    /// Takes `amount` and returns `true`. If the bucket contains less, takes nothing and returns
    /// `false`.
    #[must_use = "nothing was taken if the result is false"]
    pub fn try_take(&mut self, amount: impl Into<f64>, rate: Rate, now: Instant) -> bool {
        let full_at = self.after(amount.into(), rate, now);
        let has_enough = full_at <= now + rate.burst();
        if has_enough {
            self.full_at = full_at;
        }
        has_enough
    }

    /// The time until the debt is paid; zero without a debt.
    pub fn debt(&self, rate: Rate, now: Instant) -> Duration {
        self.full_at.saturating_duration_since(now).saturating_sub(rate.burst())
    }

    /// Whether the bucket is full, like a new one.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// The time at which the bucket will be full after `amount` is taken.
    fn after(&self, amount: f64, rate: Rate, now: Instant) -> Instant {
        let seconds = (amount / f64::from(rate.per_second)).min(MAX_DEBT);
        self.full_at.max(now) + Duration::from_secs_f64(seconds)
    }
}

/// The address to which limits apply: the /64 network of an IPv6 address, because one subscriber
/// has all addresses of a /64. IPv4-mapped addresses become IPv4 addresses.
///
/// ```
/// # use event_core::rate::subscriber;
/// let [one, other] = ["2001:db8::1", "2001:db8::2:0:0:1"].map(|text| text.parse().unwrap());
/// assert_eq!(subscriber(one), subscriber(other));
/// assert_eq!(subscriber("::ffff:192.0.2.1".parse().unwrap()).to_string(), "192.0.2.1");
/// ```
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10.0, burst_seconds: 2 };

    #[test]
    fn a_burst_passes_and_what_is_more_is_a_debt() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new(now);
        bucket.take(20, RATE, now);
        assert_eq!(bucket.debt(RATE, now), Duration::ZERO);
        assert!(!bucket.is_full(now) && !bucket.try_take(1, RATE, now));
        bucket.take(5, RATE, now);
        assert_eq!(bucket.debt(RATE, now), Duration::from_millis(500));
        let later = now + Duration::from_secs(1000);
        assert!(bucket.is_full(later));
        bucket.take(20, RATE, later);
        assert!(!bucket.try_take(1, RATE, later), "a pause must not add more than a burst");
    }

    #[test]
    fn a_debt_ends_after_a_day() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new(now);
        for _ in 0..3 {
            bucket.take(f64::MAX, RATE, now);
        }
        assert!(bucket.debt(RATE, now) <= Duration::from_secs_f64(MAX_DEBT));
    }
}
