//! How often each address may try.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

use event_core::{prelude::*, rate::subscriber};

use super::Register;

/// Addresses that are remembered at the same time; when there are more, all others have to wait.
const MAX_ADDRESSES: usize = 10_000;

/// The attempts of each address within its period.
#[derive(Debug, Default)]
pub struct Rate(Mutex<HashMap<Option<IpAddr>, Period>>);

#[derive(Debug)]
struct Period {
    end: SystemTime,
    attempts: u32,
}

impl ModuleState<Register> for Rate {
    async fn start(_: &Arc<Host>, _: &Register) -> Result<Self, StartError> {
        Ok(Self::default())
    }
}

impl Rate {
    /// Counts an attempt; `false` when there were `limit` of them in the period already.
    pub(super) fn admits(
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

    fn admits(rate: &Rate, address: &str, now: SystemTime) -> bool {
        rate.admits(Some(address.parse().unwrap()), now, 2, HOUR)
    }

    #[test]
    fn an_address_and_its_ipv6_network_share_a_period() {
        let rate = Rate::default();
        let now = UNIX_EPOCH + HOUR;
        for same in [["192.0.2.1", "::ffff:192.0.2.1"], ["2001:db8::1", "2001:db8::2:0:0:1"]] {
            assert!(admits(&rate, same[0], now));
            assert!(admits(&rate, same[1], now));
            assert!(!admits(&rate, same[0], now));
        }
        assert!(admits(&rate, "2001:db8:0:1::1", now), "another network");
        assert!(!admits(&rate, "192.0.2.1", now + HOUR - Duration::from_secs(1)));
        assert!(admits(&rate, "192.0.2.1", now + HOUR));
    }

    #[test]
    fn remembers_a_bounded_number_of_addresses() {
        let rate = Rate::default();
        let now = UNIX_EPOCH;
        let address =
            |n: usize| IpAddr::from(Ipv6Addr::from_bits(u128::try_from(n).unwrap() << 64));
        for n in 0..MAX_ADDRESSES {
            assert!(rate.admits(Some(address(n)), now, 1, HOUR));
        }
        assert!(!rate.admits(Some(address(MAX_ADDRESSES)), now, 1, HOUR));
        assert!(rate.admits(Some(address(MAX_ADDRESSES)), now + HOUR, 1, HOUR));
        assert_eq!(rate.0.lock().len(), 1, "what is over is forgotten");
    }
}
