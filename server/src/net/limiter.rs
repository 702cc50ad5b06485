//! The limits on connections: how many there are, and how fast they come.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use event_core::StreamError;
use parking_lot::Mutex;

use crate::config::Limits;

/// Of the files that the system lets be open, this part is for others than connections that come.
const RESERVED: usize = 10;

/// How many addresses are known at least before some are forgotten.
const SWEEP: usize = 1024;

/// At most one line is logged in this time of what happens with every connection.
const QUIET: Duration = Duration::from_secs(10);

/// The limits on connections, of all listeners together.
#[derive(Debug, Clone)]
pub struct Limiter {
    pub(super) doors: Arc<Doors>,
    /// How many files the system lets be open; each connection is one.
    files: usize,
}

impl Limiter {
    /// Limits that a config sets, and the system.
    pub fn new(limits: &Limits, files: usize) -> Self {
        let most = Most::new(limits, files);
        if most.total < limits.connections {
            let (most, wanted) = (most.total, limits.connections);
            tracing::info!(
                most,
                wanted,
                "fewer connections than limits.connections: raise the limit of open files"
            );
        }
        Self { doors: Arc::new(Doors::new(most)), files }
    }

    /// Sets other limits. Connections that exceed them stay.
    pub fn set(&self, limits: &Limits) {
        self.doors.inside().most = Most::new(limits, self.files);
    }
}

/// The most connections there may be.
#[derive(Debug, Clone, Copy)]
struct Most {
    total: usize,
    /// From one address.
    each: usize,
    /// How long an address is let in again after another connection, in the long run.
    every: Duration,
    /// How much earlier that may be.
    burst: Duration,
}

impl Most {
    fn new(limits: &Limits, files: usize) -> Self {
        let total = limits.connections.min(files - files / RESERVED).max(1);
        // With fewer of all, each address has fewer too: or the first would have all.
        let each = limits.connections_per_address as f64 * total as f64 / limits.connections as f64;
        let every = Duration::from_secs(1) / limits.connections_per_second;
        let burst = Duration::from_secs(limits.burst_seconds.into());
        Self { total, each: (each as usize).max(1), every, burst }
    }
}

/// How many connections there are, altogether and from one address.
#[derive(Debug)]
pub(super) struct Doors {
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    total: usize,
    each: HashMap<IpAddr, Guest>,
    /// Addresses without connections are forgotten when so many are known.
    sweep_at: usize,
    most: Most,
    complained: Option<Instant>,
}

/// An address, as long as it has connections or has had too many of late.
#[derive(Debug)]
struct Guest {
    connections: usize,
    /// When all its connections would have begun, had they come one after the other.
    due: Instant,
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    Total,
    Address,
    Rate,
}

impl Full {
    pub(super) fn limit(self) -> &'static str {
        match self {
            Self::Total => "limits.connections",
            Self::Address => "limits.connections_per_address",
            Self::Rate => "limits.connections_per_second",
        }
    }

    pub(super) fn error(self) -> StreamError {
        match self {
            Self::Total => StreamError::resource_constraint().text("too many connections"),
            Self::Address | Self::Rate => {
                StreamError::policy_violation().text("too many connections from your address")
            }
        }
    }
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Visit {
    doors: Arc<Doors>,
    from: Option<IpAddr>,
}

impl Doors {
    fn new(most: Most) -> Self {
        let each = HashMap::new();
        let inside = Inside { total: 0, each, sweep_at: SWEEP, most, complained: None };
        Self { inside: Mutex::new(inside) }
    }

    fn inside(&self) -> parking_lot::MutexGuard<'_, Inside> {
        self.inside.lock()
    }

    /// Lets a connection in that comes from an address; from none, if it comes from this machine.
    pub(super) fn enter(
        self: &Arc<Self>,
        from: Option<IpAddr>,
        now: Instant,
    ) -> Result<Visit, Full> {
        let from = from.map(site);
        let mut inside = self.inside();
        let Most { total, each, every, burst } = inside.most;
        if inside.total >= total {
            return Err(Full::Total);
        }
        let Some(address) = from else {
            inside.total += 1;
            return Ok(Visit { doors: Arc::clone(self), from });
        };
        let guest = inside.each.entry(address).or_insert(Guest { connections: 0, due: now });
        if guest.connections >= each {
            return Err(Full::Address);
        }
        let due = guest.due.max(now) + every;
        if due > now + burst {
            return Err(Full::Rate);
        }
        guest.due = due;
        guest.connections += 1;
        inside.total += 1;
        inside.sweep(now);
        Ok(Visit { doors: Arc::clone(self), from })
    }

    pub(super) fn may_complain(&self) -> bool {
        let mut inside = self.inside();
        let may = inside.complained.is_none_or(|last| last.elapsed() > QUIET);
        if may {
            inside.complained = Some(Instant::now());
        }
        may
    }
}

impl Inside {
    /// Forgets addresses that are as good as new ones.
    fn sweep(&mut self, now: Instant) {
        if self.each.len() >= self.sweep_at {
            self.each.retain(|_, guest| guest.connections > 0 || guest.due > now);
            self.sweep_at = SWEEP.max(2 * self.each.len());
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut inside = self.doors.inside();
        inside.total = inside.total.saturating_sub(1);
        if let Some(guest) = self.from.and_then(|from| inside.each.get_mut(&from)) {
            guest.connections = guest.connections.saturating_sub(1);
        }
    }
}

/// One subscriber's address: with IPv6 a network of 64 bits, as everybody has so many addresses.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn doors(limits: &Limits, files: usize) -> Arc<Doors> {
        Arc::new(Doors::new(Most::new(limits, files)))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn doors_count() {
        let limits = Limits { connections: 3, connections_per_address: 2, ..Limits::default() };
        let doors = doors(&limits, 1000);
        let now = Instant::now();
        let enter = |from| doors.enter(Some(address(from)), now);
        let first = enter("192.0.2.1").unwrap();
        let _second = enter("::ffff:192.0.2.1").unwrap();
        assert_eq!(enter("192.0.2.1").unwrap_err(), Full::Address);
        let _third = enter("2001:db8::1").unwrap();
        assert_eq!(enter("2001:db8:1::").unwrap_err(), Full::Total);
        drop(first);
        let _fourth = enter("2001:db8::2").unwrap();
        assert_eq!(doors.enter(None, now).unwrap_err(), Full::Total);
        assert_eq!(doors.inside().each.len(), 2);
        assert!(doors.may_complain() && !doors.may_complain());
    }

    #[test]
    fn an_address_that_comes_again_and_again_has_to_wait() {
        let limits = Limits { connections_per_second: 10, burst_seconds: 2, ..Limits::default() };
        let doors = doors(&limits, 100_000);
        let now = Instant::now();
        let enter = |from, after| doors.enter(Some(address(from)), now + after).map(drop);
        for _ in 0..20 {
            enter("192.0.2.1", Duration::ZERO).unwrap();
        }
        assert_eq!(enter("192.0.2.1", Duration::ZERO), Err(Full::Rate));
        enter("192.0.2.2", Duration::ZERO).unwrap();
        enter("192.0.2.1", Duration::from_millis(100)).unwrap();
        assert_eq!(enter("192.0.2.1", Duration::from_millis(101)), Err(Full::Rate));
    }

    #[test]
    fn addresses_are_forgotten() {
        let doors = doors(&Limits::default(), 100_000);
        let now = Instant::now();
        for number in 0..10 * SWEEP as u32 {
            let late = now + Duration::from_secs(number.into());
            doors.enter(Some(Ipv4Addr::from_bits(number).into()), late).map(drop).unwrap();
        }
        assert!(doors.inside().each.len() <= SWEEP);
    }

    #[test]
    fn files_bound_connections() {
        let limits =
            Limits { connections: 50_000, connections_per_address: 10_000, ..Limits::default() };
        let few = Most::new(&limits, 1000);
        assert_eq!((few.total, few.each), (900, 180));
        let many = Most::new(&limits, 1_000_000);
        assert_eq!((many.total, many.each), (50_000, 10_000));
    }
}
