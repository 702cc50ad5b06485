//! Listeners accept connections within the limits and pass them to the service of their port.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Shutdown, SocketAddr},
    sync::Arc,
    time::Duration,
};

use event_core::SessionKind;
use socket2::SockRef;
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::Instant,
};

use super::{
    limiter::{ConnectionLimiter, ConnectionLimits, ConnectionPermit, Full},
    socket::prepare,
};
use crate::{
    config::{Listen, ListenKind},
    http::Http,
    stream::Streams,
};

/// The number of connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 1024;

/// The pause after the kernel refused to accept a connection.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Why a listener cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address cannot be bound.
    #[error("{}cannot listen on {address} for {}: {source}{}", place(listen), name(listen.kind), hint(source, listen))]
    Bind {
        /// The listener in the config.
        listen: Box<Listen>,
        /// The address that was tried.
        address: SocketAddr,
        /// The I/O error.
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

/// Binds a listener. A listener on a default address uses IPv4 if the kernel has no IPv6.
pub(crate) fn bind(listen: &Listen) -> Result<TcpListener, ListenError> {
    let error =
        |address, source| ListenError::Bind { listen: Box::new(listen.clone()), address, source };
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
    // Without this, connections of an earlier server keep the address in use.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Before `listen`: accepted connections inherit the listener's options.
    prepare(SockRef::from(&socket));
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Listeners that accept connections until this is dropped.
#[derive(Debug)]
pub struct Listeners(Vec<OpenListener>);

#[derive(Debug)]
struct OpenListener {
    kind: ListenKind,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listeners {
    /// Begins to accept.
    pub fn accept(
        bound: Vec<(Listen, TcpListener)>,
        streams: &Arc<Streams>,
        http: &Http,
        limits: &ConnectionLimits,
    ) -> Self {
        let limiter = limits.limiter();
        let open = bound.into_iter().map(|(listen, listener)| {
            let kind = listen.kind;
            let address = listener.local_addr().unwrap_or(listen.address);
            tracing::info!(kind = %name(kind), %address, "listening");
            let service = Service::new(&listen, streams, http);
            let task = accept(listener, service, Arc::clone(limiter));
            OpenListener { kind, address, task: tokio::spawn(task) }
        });
        Self(open.collect())
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

/// The service of a port.
#[derive(Clone)]
enum Service {
    Streams { streams: Arc<Streams>, kind: SessionKind, direct_tls: bool },
    Http(Http),
}

impl Service {
    fn new(listen: &Listen, streams: &Arc<Streams>, http: &Http) -> Self {
        let (kind, direct_tls) = match listen.kind {
            ListenKind::C2s => (SessionKind::Client, false),
            ListenKind::C2sTls => (SessionKind::Client, true),
            ListenKind::S2s => (SessionKind::S2sIn, false),
            ListenKind::S2sTls => (SessionKind::S2sIn, true),
            ListenKind::Component => (SessionKind::Component, false),
            ListenKind::Http => return Self::Http(http.clone().with_names(&listen.names)),
        };
        Self::Streams { streams: Arc::clone(streams), kind, direct_tls }
    }

    fn serve(&self, socket: TcpStream, peer: SocketAddr, permit: ConnectionPermit) {
        match self {
            Self::Streams { streams, kind, direct_tls } => {
                let streams = Arc::clone(streams);
                tokio::spawn(streams.serve(socket, peer, *kind, *direct_tls, permit));
            }
            Self::Http(http) => {
                let http = http.clone();
                tokio::spawn(async move {
                    http.serve(socket).await;
                    drop(permit);
                });
            }
        }
    }

    /// Sends the reason, if the kernel takes the bytes at once; never waits.
    fn refuse(&self, socket: TcpStream, full: Full) {
        let Self::Streams { streams, kind, direct_tls: false } = self else { return };
        if let Ok(mut socket) = socket.into_std() {
            let _ = socket.write_all(streams.refusal(*kind, &full.error()).as_bytes());
            let _ = socket.shutdown(Shutdown::Write);
            // Unread bytes would reset the connection, and the reason would be lost.
            let _ = socket.read(&mut [0; 1024]);
        }
    }
}

async fn accept(listener: TcpListener, service: Service, limiter: Arc<ConnectionLimiter>) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                match limiter.admit(counted_address(&socket, peer), Instant::now()) {
                    Ok(permit) => {
                        service.serve(socket, peer, permit);
                    }
                    Err(full) => {
                        if limiter.begin_log() {
                            let (peer, limit) = (peer.ip(), full.key());
                            tracing::warn!(%peer, limit, "a connection is refused: the limit is reached");
                        }
                        service.refuse(socket, full);
                    }
                }
            }
            // The peer has closed the connection already: nothing is logged.
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                if limiter.begin_log() {
                    tracing::error!(%error, "cannot accept connections; the server tries again");
                }
                // Usually there are no file descriptors left.
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// The address that limits count for. `None` when both ends have the same address: then the peer is
/// a proxy or a tool on this machine, and a limit would apply to all clients behind it.
fn counted_address(socket: &TcpStream, peer: SocketAddr) -> Option<IpAddr> {
    let is_own = socket.local_addr().is_ok_and(|own| own.ip() == peer.ip());
    (!is_own).then(|| peer.ip())
}

#[cfg(test)]
mod tests {
    use super::{super::socket::KEEPALIVE, *};

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
}
