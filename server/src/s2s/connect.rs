//! Connects to another server, given its domain.
//!
//! ```text
//! let mut route = connector.route(domain).await?;
//! loop {
//!     let connected = route.connect().await?;      // an error when no target is left
//!     match handshake(connected).await {           // TLS at once if `is_direct_tls`
//!         Ok(stream) => break stream,
//!         Err(error) => log(error),                // the next target may succeed (XEP-0368)
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
/// The time limit of one target, so that time is left for the other targets.
const TARGET: Duration = Duration::from_secs(10);
/// The time limit of all targets, including the handshakes between the calls of `connect`.
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
        /// The target that was tried last.
        name: Box<str>,
        /// The port of the target.
        port: u16,
        /// The I/O error.
        source: io::Error,
    },
    /// No target is left: each was connected to, and the handshake failed.
    #[error("no other server of {0} is left")]
    Exhausted(Box<str>),
    /// The time limit has passed.
    #[error("{0} could not be reached in time")]
    TimedOut(Box<str>),
}

/// The error for senders of stanzas to a domain of which no server could be reached. It is the same
/// for each reason, because anyone can have any public address and port tried.
pub(super) fn unreachable(domain: &str) -> StanzaError {
    StanzaError::remote_server_timeout().text(format!("no server of {domain} could be reached"))
}

impl ConnectError {
    /// The error for senders of stanzas to the domain (RFC 6120 sections 8.3.3.16 and 8.3.3.17).
    pub(super) fn told(&self, domain: &str) -> StanzaError {
        match self {
            Self::Resolve(error @ (ResolveError::NotFound(_) | ResolveError::NotOffered(_))) => {
                StanzaError::remote_server_not_found().text(error.to_string())
            }
            _ => unreachable(domain),
        }
    }
}

/// Connects to other servers with the settings of `[s2s]`.
#[derive(Debug, Clone)]
pub struct Connector {
    resolver: Resolver,
}

/// A connection on which no byte has been sent.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub stream: TcpStream,
    /// The other side's address.
    pub peer: SocketAddr,
    /// Whether TLS begins with the first byte. The name for TLS is the domain (XEP-0368).
    pub is_direct_tls: bool,
}

impl Connector {
    /// A connector for this config.
    pub fn new(config: &S2s) -> Self {
        Self { resolver: Resolver::new(config) }
    }

    /// Finds the servers of a domain.
    ///
    /// # Errors
    ///
    /// The domain has no server, or DNS does not answer.
    pub async fn route(&self, domain: &str) -> Result<Route<'_>, ConnectError> {
        let deadline = Instant::now() + TOTAL;
        let targets = self.resolver.targets(domain).await?.into_iter();
        Ok(Route { resolver: &self.resolver, domain: domain.into(), targets, deadline })
    }
}

/// The targets of one domain that have not been tried.
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
    /// No target is left (the error is that of the last one), or the time limit of 30 seconds from
    /// [`Connector::route`] on has passed.
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
            tracing::debug!(domain = %self.domain, ?target, error = %last, "the target was not reached");
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

/// Returns the first connection. An attempt begins when the one before it has failed, or after 250
/// ms.
pub(super) async fn first_of<T: Send + 'static, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut waiting = addresses.into_iter();
    // Dropping the set cancels the attempts.
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
