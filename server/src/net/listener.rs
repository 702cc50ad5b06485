//! Listeners: they accept connections within the limits and hand them to what answers there.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use event_core::{SessionKind, StreamError};
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

use crate::{
    config::{Config, Limits, Listen, ListenKind},
    http::Http,
    stream::Streams,
};

/// How many connections the system keeps that are not accepted yet.
const BACKLOG: u32 = 1024;

/// How long nothing is accepted after the system refused to.
const PAUSE: Duration = Duration::from_millis(200);

/// Of the files that the system lets be open, this part is for others than connections that come.
const RESERVED: usize = 10;

/// How many addresses are known at least before some are forgotten.
const SWEEP: usize = 1024;

/// At most one line is logged in this time of what happens with every connection.
const QUIET: Duration = Duration::from_secs(10);

/// A connection without traffic is asked for signs of life after this time, and so often.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(30));

/// Why there is no listener.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address cannot be bound.
    #[error("{}cannot listen on {address} for {}: {source}{}", place(listen), name(listen.kind), hint(source, listen))]
    Bind {
        /// What was asked for.
        listen: Listen,
        /// The address tried.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

fn place(listen: &Listen) -> String {
    listen.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default()
}

fn hint(source: &io::Error, listen: &Listen) -> String {
    let port = listen.address.port();
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            format!("; stop what listens on port {port}, or choose another address in [[listen]]")
        }
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 need the capability CAP_NET_BIND_SERVICE".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address".to_owned(),
        _ => String::new(),
    }
}

/// A kind as the config spells it.
pub(crate) fn name(kind: ListenKind) -> &'static str {
    match kind {
        ListenKind::C2s => "c2s",
        ListenKind::C2sTls => "c2s-tls",
        ListenKind::S2s => "s2s",
        ListenKind::S2sTls => "s2s-tls",
        ListenKind::Component => "component",
        ListenKind::Http => "http",
    }
}

/// Binds a listener; a default one on IPv4 alone where the system has no IPv6.
pub(crate) fn bind(listen: &Listen) -> Result<TcpListener, ListenError> {
    let error = |address, source| ListenError::Bind { listen: listen.clone(), address, source };
    match listen_on(listen.address) {
        Ok(listener) => Ok(listener),
        Err(source) => match listen.fallback() {
            Some(other) if source.kind() != io::ErrorKind::AddrInUse => {
                listen_on(other).map_err(|source| error(other, source))
            }
            _ => Err(error(listen.address, source)),
        },
    }
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Or connections of a server that was here before would be in the way.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Before it listens: what is accepted has the options of its listener.
    prepare(SockRef::from(&socket));
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Listeners that accept, until it is dropped.
#[derive(Debug)]
pub struct Listeners(Vec<Open>);

#[derive(Debug)]
struct Open {
    kind: ListenKind,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listeners {
    /// Binds everything the config lists and begins to accept.
    ///
    /// # Errors
    ///
    /// One of them cannot be bound; none accepts then.
    pub fn open(
        config: &Config,
        streams: &Arc<Streams>,
        http: &Http,
        limiter: &Limiter,
    ) -> Result<Self, ListenError> {
        let mut bound = Vec::new();
        for listen in &config.listen {
            bound.push((listen, bind(listen)?));
        }
        let doors = &limiter.doors;
        let open = bound.into_iter().map(|(listen, listener)| {
            let kind = listen.kind;
            let address = listener.local_addr().unwrap_or(listen.address);
            tracing::info!("listening kind={} address={address}", name(kind));
            let service = Service::new(kind, streams, http);
            let task = accept(listener, service, Arc::clone(doors));
            Open { kind, address, task: tokio::spawn(task) }
        });
        Ok(Self(open.collect()))
    }

    /// The port of the first listener of a kind.
    pub fn port(&self, kind: ListenKind) -> Option<u16> {
        self.0.iter().find(|open| open.kind == kind).map(|open| open.address.port())
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.0.iter().for_each(|open| open.task.abort());
    }
}

/// What answers on a port.
#[derive(Clone)]
enum Service {
    Streams { streams: Arc<Streams>, kind: SessionKind, direct_tls: bool },
    Http(Http),
}

impl Service {
    fn new(kind: ListenKind, streams: &Arc<Streams>, http: &Http) -> Self {
        let (kind, direct_tls) = match kind {
            ListenKind::C2s => (SessionKind::Client, false),
            ListenKind::C2sTls => (SessionKind::Client, true),
            ListenKind::S2s => (SessionKind::S2sIn, false),
            ListenKind::S2sTls => (SessionKind::S2sIn, true),
            ListenKind::Component => (SessionKind::Component, false),
            ListenKind::Http => return Self::Http(http.clone()),
        };
        Self::Streams { streams: Arc::clone(streams), kind, direct_tls }
    }

    fn serve(&self, socket: TcpStream, peer: SocketAddr, visit: Visit) {
        match self {
            Self::Streams { streams, kind, direct_tls } => {
                let streams = Arc::clone(streams);
                tokio::spawn(streams.serve(socket, peer, *kind, *direct_tls, visit));
            }
            Self::Http(http) => {
                let http = http.clone();
                tokio::spawn(async move {
                    http.serve(socket).await;
                    drop(visit);
                });
            }
        }
    }

    /// Says why there is no stream, if the system takes it at once: nobody is waited for.
    fn refuse(&self, socket: TcpStream, full: Full) {
        let Self::Streams { streams, kind, direct_tls: false } = self else { return };
        if let Ok(mut socket) = socket.into_std() {
            let _ = socket.write_all(streams.refusal(*kind, &full.error()).as_bytes());
            let _ = socket.shutdown(Shutdown::Write);
            // With bytes unread, the connection would be reset, and that unread as well.
            let _ = socket.read(&mut [0; 1024]);
        }
    }
}

async fn accept(listener: TcpListener, service: Service, doors: Arc<Doors>) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => match doors.enter(guest(&socket, peer), Instant::now()) {
                Ok(visit) => {
                    service.serve(socket, peer, visit);
                }
                Err(full) => {
                    if doors.may_complain() {
                        let limit = full.limit();
                        tracing::warn!(peer = %peer.ip(), "connection refused, too many: see {limit}");
                    }
                    service.refuse(socket, full);
                }
            },
            // The other side has gone already: that is its own business.
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                if doors.may_complain() {
                    tracing::error!(%error, "cannot accept connections; trying again");
                }
                // The usual reason is that there are no file descriptors left.
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Small stanzas go out at once, and who vanished is noticed in the end.
pub(crate) fn prepare(socket: SockRef<'_>) {
    let (idle, interval) = KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval);
    let set = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive));
    if let Err(error) = set {
        tracing::warn!(%error, "options of a socket could not be set");
    }
}

/// The limits on connections, of all listeners together.
#[derive(Debug, Clone)]
pub struct Limiter {
    doors: Arc<Doors>,
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
struct Doors {
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
enum Full {
    Total,
    Address,
    Rate,
}

impl Full {
    fn limit(self) -> &'static str {
        match self {
            Self::Total => "limits.connections",
            Self::Address => "limits.connections_per_address",
            Self::Rate => "limits.connections_per_second",
        }
    }

    fn error(self) -> StreamError {
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
struct Visit {
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
    fn enter(self: &Arc<Self>, from: Option<IpAddr>, now: Instant) -> Result<Visit, Full> {
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

    fn may_complain(&self) -> bool {
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

/// Whose connection it is, unless it comes from the very address that it goes to: then a proxy or a
/// tool on this machine has made it, and limits on one address would be limits on all behind it.
fn guest(socket: &TcpStream, peer: SocketAddr) -> Option<IpAddr> {
    let is_own = socket.local_addr().is_ok_and(|own| own.ip() == peer.ip());
    (!is_own).then(|| peer.ip())
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

    #[tokio::test]
    async fn what_is_accepted_has_the_options() {
        let listener = listen_on("127.0.0.1:0".parse().unwrap()).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (_client, accepted) = tokio::join!(client, listener.accept());
        let (accepted, _) = accepted.unwrap();
        assert!(accepted.nodelay().unwrap());
        let options = SockRef::from(&accepted);
        assert!(options.keepalive().unwrap());
        assert_eq!(options.tcp_keepalive_time().unwrap(), KEEPALIVE.0);
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
