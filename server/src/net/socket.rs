//! The socket options of connections in both directions.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// The TCP keepalive's idle time and interval.
pub(super) const KEEPALIVE: (Duration, Duration) =
    (Duration::from_secs(300), Duration::from_secs(30));

/// Disables Nagle's algorithm, so that small stanzas are sent at once. Enables keepalive, so that a
/// broken connection is noticed.
pub(crate) fn prepare(socket: SockRef<'_>) {
    let (idle, interval) = KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval);
    let set = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive));
    if let Err(error) = set {
        tracing::warn!(%error, "socket options could not be set");
    }
}
