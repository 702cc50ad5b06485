//! What connections of both directions have set.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// A connection without traffic is asked for signs of life after this time, and so often.
pub(super) const KEEPALIVE: (Duration, Duration) =
    (Duration::from_secs(300), Duration::from_secs(30));

/// Small stanzas go out at once, and who vanished is noticed in the end.
pub(crate) fn prepare(socket: SockRef<'_>) {
    let (idle, interval) = KEEPALIVE;
    let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval);
    let set = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive));
    if let Err(error) = set {
        tracing::warn!(%error, "options of a socket could not be set");
    }
}
