//! Reaching another server: from its domain to a TCP connection.
//!
//! ```text
//! let mut route = connector.route(domain).await?;
//! loop {
//!     let connected = route.connect().await?;      // ends with an error when nothing is left
//!     match handshake(connected).await {           // TLS at once if `is_direct_tls`
//!         Ok(stream) => break stream,
//!         Err(error) => log(error),                // the next target may do better (XEP-0368)
//!     }
//! }
//! ```

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use event_core::StanzaError;
use socket2::SockRef;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::resolve::{ResolveError, Resolver, Target};
use crate::{config::S2s, net::socket};

/// The time before the next address is tried in parallel (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);
/// The time limit of one target, so that the others are tried too.
const TARGET: Duration = Duration::from_secs(10);
/// The time limit of all targets, including handshakes between the calls.
const TOTAL: Duration = Duration::from_secs(30);

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The domain's servers were not found.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// No address accepts the connection.
    #[error("cannot connect to {domain} at {name}:{port}: {source}")]
    Unreachable {
        /// The domain.
        domain: Box<str>,
        /// The target tried last.
        name: Box<str>,
        /// Its port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// No targets are left, after connections on which the handshake failed.
    #[error("no server of {0} is left to try")]
    Exhausted(Box<str>),
    /// The time limit has passed.
    #[error("{0} could not be reached in time")]
    TimedOut(Box<str>),
}

impl From<&ConnectError> for StanzaError {
    /// The error for senders of stanzas to the domain (RFC 6120 sections 8.3.3.16 and 8.3.3.17).
    fn from(error: &ConnectError) -> Self {
        match error {
            ConnectError::Resolve(error) => error.into(),
            _ => Self::remote_server_timeout().text(error.to_string()),
        }
    }
}

/// Connects to other servers, as `[s2s]` says.
#[derive(Debug, Clone)]
pub struct Connector {
    resolver: Resolver,
}

/// A connection on which nothing is sent yet.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub stream: TcpStream,
    /// The other side's address.
    pub peer: SocketAddr,
    /// Whether TLS begins with the first byte. The name for it is the domain's (XEP-0368).
    pub is_direct_tls: bool,
}

impl Connector {
    /// A connector for this config.
    pub fn new(config: &S2s) -> Self {
        Self { resolver: Resolver::new(config) }
    }

    /// Finds out where a domain's servers are.
    ///
    /// # Errors
    ///
    /// There is none, or DNS does not answer.
    pub async fn route(&self, domain: &str) -> Result<Route<'_>, ConnectError> {
        let deadline = Instant::now() + TOTAL;
        let targets = self.resolver.targets(domain).await?.into_iter();
        Ok(Route { resolver: &self.resolver, domain: domain.into(), targets, deadline })
    }
}

/// The targets of one domain that are still to try.
#[derive(Debug)]
pub struct Route<'a> {
    resolver: &'a Resolver,
    domain: Box<str>,
    targets: std::vec::IntoIter<Target>,
    deadline: Instant,
}

impl Route<'_> {
    /// Connects to the next target that accepts a connection.
    ///
    /// # Errors
    ///
    /// The error of the last target when none is left, or the time limit (30 seconds from
    /// [`Connector::route`] on).
    pub async fn connect(&mut self) -> Result<Connected, ConnectError> {
        let mut last = ConnectError::Exhausted(self.domain.clone());
        for target in self.targets.by_ref() {
            let now = Instant::now();
            if now >= self.deadline {
                return Err(ConnectError::TimedOut(self.domain.clone()));
            }
            let until = self.deadline.min(now + TARGET);
            match timeout_at(until, reach(self.resolver, &self.domain, &target)).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => last = error,
                Err(_) => last = ConnectError::TimedOut(self.domain.clone()),
            }
            tracing::debug!(domain = %self.domain, ?target, error = %last, "not reached");
        }
        Err(last)
    }
}

async fn reach(
    resolver: &Resolver,
    domain: &str,
    target: &Target,
) -> Result<Connected, ConnectError> {
    let unreachable = |source| ConnectError::Unreachable {
        domain: domain.into(),
        name: target.name.clone(),
        port: target.port,
        source,
    };
    let addresses = resolver.addresses(target).await?;
    let stream = first_of(addresses, TcpStream::connect).await.map_err(unreachable)?;
    socket::prepare(SockRef::from(&stream));
    let peer = stream.peer_addr().map_err(unreachable)?;
    Ok(Connected { stream, peer, is_direct_tls: target.is_direct_tls })
}

/// Connects to the address that answers first. The next address is tried when the one before has
/// failed, at the latest after 250 ms.
pub(super) async fn first_of<T: Send + 'static, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut waiting = addresses.into_iter();
    // Dropping the set ends the attempts under way.
    let mut attempts = JoinSet::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(connect(address));
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => last = error,
                Some(Err(error)) => last = error.into(),
                None => return Err(last),
            },
            () = sleep(STAGGER), if waiting.len() > 0 => {}
        }
    }
}
