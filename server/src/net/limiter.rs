//! The limits on the number and the rate of connections.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use event_core::{
    StreamError,
    rate::{Rate, TokenBucket, subscriber},
};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::config::Limits;

/// One in this many file descriptors is kept for other uses than connections.
const RESERVED: usize = 10;

/// At most one in this many file descriptors is for streams to other servers.
const OUTGOING: usize = 4;

/// The number of streams to other servers for which files are kept, and of servers that are
/// connected to at the same time, for stanzas and for dialback keys.
const STREAMS: usize = 10_000;
const DIALS: usize = 256;
const CHECKS: usize = 64;

/// The files that one attempt to connect may have open: it tries up to 8 addresses at the same
/// time.
const FILES_OF_DIAL: usize = 8;

/// How the files for streams to other servers are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutgoingFiles {
    /// The streams that carry stanzas.
    pub streams: usize,
    /// The attempts to connect for stanzas.
    pub dials: usize,
    /// The attempts to connect for dialback keys.
    pub checks: usize,
}

impl OutgoingFiles {
    /// The use of a process that may open this many files.
    pub fn of(files: usize) -> Self {
        let all = files / OUTGOING;
        // Half is for attempts, of which the stated maximum is rarely reached.
        let attempts = (all / 2 / FILES_OF_DIAL).min(DIALS + CHECKS);
        let checks = (attempts * CHECKS / (DIALS + CHECKS)).max(1);
        let dials = attempts.saturating_sub(checks).max(1);
        let streams = all.saturating_sub(attempts * FILES_OF_DIAL).clamp(1, STREAMS);
        Self { streams, dials, checks }
    }

    fn total(self) -> usize {
        self.streams + (self.dials + self.checks) * FILES_OF_DIAL
    }
}

/// The least number of known addresses at which addresses without connections are forgotten.
const SWEEP: usize = 1024;

/// The least time between two lines in the log about refused connections.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The limits on connections, of all listeners together.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    limiter: Arc<ConnectionLimiter>,
    /// The limit of open files; each connection needs one.
    files: usize,
}

impl ConnectionLimits {
    /// The limits of a config, reduced if the kernel allows fewer open files.
    pub fn new(limits: &Limits, files: usize) -> Self {
        let maximum = Maximum::new(limits, files);
        if maximum.total < limits.connections {
            let (most, wanted) = (maximum.total, limits.connections);
            tracing::info!(
                most,
                wanted,
                "the limit of open files allows fewer connections than limits.connections"
            );
        }
        Self { limiter: Arc::new(ConnectionLimiter::new(maximum)), files }
    }

    /// Sets other limits. Open connections that exceed them stay open.
    pub fn set(&self, limits: &Limits) {
        self.limiter.state().maximum = Maximum::new(limits, self.files);
    }

    pub(super) fn limiter(&self) -> &Arc<ConnectionLimiter> {
        &self.limiter
    }
}

/// The limits that apply.
#[derive(Debug, Clone, Copy)]
struct Maximum {
    total: usize,
    per_address: usize,
    /// The rate of new connections from one address.
    rate: Rate,
}

impl Maximum {
    fn new(limits: &Limits, files: usize) -> Self {
        let other = files / RESERVED + OutgoingFiles::of(files).total();
        let total = limits.connections.min(files.saturating_sub(other)).max(1);
        // Reduced with the total, because otherwise one address could have all connections.
        let share = total as f64 / limits.connections as f64;
        let per_address = (limits.connections_per_address as f64 * share) as usize;
        let rate = Rate {
            per_second: limits.connections_per_second as f32,
            burst_seconds: limits.burst_seconds,
        };
        Self { total, per_address: per_address.max(1), rate }
    }
}

/// Counts connections, in total and for each address.
#[derive(Debug)]
pub(super) struct ConnectionLimiter {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    total: usize,
    addresses: HashMap<IpAddr, AddressState>,
    /// The number of known addresses at which addresses without connections are forgotten.
    sweep_at: usize,
    maximum: Maximum,
    last_logged: Option<Instant>,
}

/// An address that has connections, or whose bucket is not full.
#[derive(Debug)]
struct AddressState {
    connections: usize,
    bucket: TokenBucket,
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    Total,
    Address,
    Rate,
}

impl Full {
    /// The limit's key in the config.
    pub(super) fn key(self) -> &'static str {
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

/// A counted connection, until this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    limiter: Arc<ConnectionLimiter>,
    address: Option<IpAddr>,
}

impl ConnectionLimiter {
    fn new(maximum: Maximum) -> Self {
        let addresses = HashMap::new();
        let state = State { total: 0, addresses, sweep_at: SWEEP, maximum, last_logged: None };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Counts a connection. `address` is `None` for a connection from this machine.
    pub(super) fn admit(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<ConnectionPermit, Full> {
        let address = address.map(subscriber);
        let mut state = self.state();
        let Maximum { total, per_address, rate } = state.maximum;
        if state.total >= total {
            return Err(Full::Total);
        }
        if let Some(address) = address {
            let new = || AddressState { connections: 0, bucket: TokenBucket::new(now) };
            let known = state.addresses.entry(address).or_insert_with(new);
            if known.connections >= per_address {
                return Err(Full::Address);
            }
            if !known.bucket.try_take(1, rate, now) {
                return Err(Full::Rate);
            }
            known.connections += 1;
        }
        state.total += 1;
        if address.is_some() {
            state.sweep(now);
        }
        Ok(ConnectionPermit { limiter: Arc::clone(self), address })
    }

    /// Whether a line may be logged now. If so, starts the next interval.
    pub(super) fn begin_log(&self) -> bool {
        let mut state = self.state();
        let may = state.last_logged.is_none_or(|last| last.elapsed() > LOG_INTERVAL);
        if may {
            state.last_logged = Some(Instant::now());
        }
        may
    }
}

impl State {
    /// Forgets addresses without connections whose bucket is full, because a new entry is the same.
    fn sweep(&mut self, now: Instant) {
        if self.addresses.len() >= self.sweep_at {
            self.addresses.retain(|_, known| known.connections > 0 || !known.bucket.is_full(now));
            self.sweep_at = SWEEP.max(2 * self.addresses.len());
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        state.total = state.total.saturating_sub(1);
        if let Some(known) = self.address.and_then(|address| state.addresses.get_mut(&address)) {
            known.connections = known.connections.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn limiter(limits: &Limits, files: usize) -> Arc<ConnectionLimiter> {
        Arc::new(ConnectionLimiter::new(Maximum::new(limits, files)))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn connections_are_counted() {
        let limits = Limits { connections: 3, connections_per_address: 2, ..Limits::default() };
        let limiter = limiter(&limits, 1000);
        let now = Instant::now();
        let admit = |from| limiter.admit(Some(address(from)), now);
        let first = admit("192.0.2.1").unwrap();
        let _second = admit("::ffff:192.0.2.1").unwrap();
        assert_eq!(admit("192.0.2.1").unwrap_err(), Full::Address);
        let _third = admit("2001:db8::1").unwrap();
        assert_eq!(admit("2001:db8:1::").unwrap_err(), Full::Total);
        drop(first);
        let _fourth = admit("2001:db8::2").unwrap();
        assert_eq!(limiter.admit(None, now).unwrap_err(), Full::Total);
        assert_eq!(limiter.state().addresses.len(), 2);
        assert!(limiter.begin_log() && !limiter.begin_log());
    }

    #[test]
    fn an_address_that_comes_again_and_again_has_to_wait() {
        let limits = Limits { connections_per_second: 10, burst_seconds: 2, ..Limits::default() };
        let limiter = limiter(&limits, 100_000);
        let now = Instant::now();
        let admit = |from, after| limiter.admit(Some(address(from)), now + after).map(drop);
        for _ in 0..20 {
            admit("192.0.2.1", Duration::ZERO).unwrap();
        }
        assert_eq!(admit("192.0.2.1", Duration::ZERO), Err(Full::Rate));
        admit("192.0.2.2", Duration::ZERO).unwrap();
        admit("192.0.2.1", Duration::from_millis(100)).unwrap();
        assert_eq!(admit("192.0.2.1", Duration::from_millis(101)), Err(Full::Rate));
    }

    #[test]
    fn addresses_are_forgotten() {
        let limiter = limiter(&Limits::default(), 100_000);
        let now = Instant::now();
        for number in 0..10 * SWEEP as u32 {
            let late = now + Duration::from_secs(number.into());
            limiter.admit(Some(Ipv4Addr::from_bits(number).into()), late).map(drop).unwrap();
        }
        assert!(limiter.state().addresses.len() <= SWEEP);
    }

    #[test]
    fn files_are_divided() {
        let of = OutgoingFiles::of;
        assert_eq!(of(1000), OutgoingFiles { streams: 130, dials: 12, checks: 3 });
        assert_eq!(of(20_000), OutgoingFiles { streams: 2504, dials: 250, checks: 62 });
        assert_eq!(of(usize::MAX), OutgoingFiles { streams: 10_000, dials: 256, checks: 64 });
        assert_eq!(of(0), OutgoingFiles { streams: 1, dials: 1, checks: 1 });
        for files in [200, 256, 1000, 1024, 4096, 20_000, 524_288] {
            assert!(of(files).total() <= files / OUTGOING, "{files}");
        }
    }

    #[test]
    fn files_bound_connections() {
        let limits =
            Limits { connections: 50_000, connections_per_address: 10_000, ..Limits::default() };
        let few = Maximum::new(&limits, 1000);
        assert_eq!((few.total, few.per_address), (650, 130));
        let many = Maximum::new(&limits, 1_000_000);
        assert_eq!((many.total, many.per_address), (50_000, 10_000));
    }
}
