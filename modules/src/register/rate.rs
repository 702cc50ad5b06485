//! A limit on the registration attempts of each address.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

use event_core::rate::subscriber;

/// The maximum number of addresses in memory. Above this number, new addresses are refused.
const MAX_ADDRESSES: usize = 10_000;

/// Counts the attempts of each address in a period.
#[derive(Debug, Default)]
pub struct AttemptLimiter(Mutex<HashMap<Option<IpAddr>, Period>>);

#[derive(Debug)]
struct Period {
    end: SystemTime,
    attempts: u32,
}

impl AttemptLimiter {
    /// Counts an attempt. Returns false if the period already had `limit` attempts.
    pub(super) fn admit(
        &self,
        peer: Option<IpAddr>,
        now: SystemTime,
        limit: u32,
        length: Duration,
    ) -> bool {
        let mut periods = self.0.lock();
        let peer = peer.map(subscriber);
        if periods.len() >= MAX_ADDRESSES && !periods.contains_key(&peer) {
            periods.retain(|_, period| period.end > now);
            if periods.len() >= MAX_ADDRESSES {
                return false;
            }
        }
        let new = || Period { end: now + length, attempts: 0 };
        let period = periods.entry(peer).or_insert_with(new);
        if period.end <= now {
            *period = new();
        }
        period.attempts = period.attempts.saturating_add(1);
        period.attempts <= limit
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv6Addr, time::UNIX_EPOCH};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn admits(limiter: &AttemptLimiter, address: &str, now: SystemTime) -> bool {
        limiter.admit(Some(address.parse().unwrap()), now, 2, HOUR)
    }

    #[test]
    fn an_address_and_its_ipv6_network_share_a_period() {
        let limiter = AttemptLimiter::default();
        let now = UNIX_EPOCH + HOUR;
        for same in [["192.0.2.1", "::ffff:192.0.2.1"], ["2001:db8::1", "2001:db8::2:0:0:1"]] {
            assert!(admits(&limiter, same[0], now));
            assert!(admits(&limiter, same[1], now));
            assert!(!admits(&limiter, same[0], now));
        }
        assert!(admits(&limiter, "2001:db8:0:1::1", now), "each network must have a period");
        assert!(!admits(&limiter, "192.0.2.1", now + HOUR - Duration::from_secs(1)));
        assert!(admits(&limiter, "192.0.2.1", now + HOUR));
    }

    #[test]
    fn remembers_a_bounded_number_of_addresses() {
        let limiter = AttemptLimiter::default();
        let now = UNIX_EPOCH;
        let address =
            |n: usize| IpAddr::from(Ipv6Addr::from_bits(u128::try_from(n).unwrap() << 64));
        for n in 0..MAX_ADDRESSES {
            assert!(limiter.admit(Some(address(n)), now, 1, HOUR));
        }
        assert!(!limiter.admit(Some(address(MAX_ADDRESSES)), now, 1, HOUR));
        assert!(limiter.admit(Some(address(MAX_ADDRESSES)), now + HOUR, 1, HOUR));
        assert_eq!(limiter.0.lock().len(), 1, "addresses whose period is over must be removed");
    }
}
