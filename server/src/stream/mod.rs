//! Client streams (RFC 6120): one task for each connection, between its socket and the core.
//!
//! A stream that waits holds no buffer: bytes are read into one that the thread lends, and what
//! is sent to it waits in its `Wire` only until the task has written it. Elements
//! are handled one after the other; while a handler waits, the stream is read on up to a bound.

mod connection;
mod end;
mod header;
mod input;
mod io;
mod pool;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use event_core::{Core, StreamError};
use tokio::{net::TcpStream, sync::Notify};

use crate::{config::Limits, tls::Tls};
use connection::Connection;
use wire::Wire;

/// What all streams share.
#[derive(Debug)]
pub struct Streams {
    core: Arc<Core>,
    tls: Tls,
    limits: Limits,
    /// The domains that clients may open streams to.
    hosts: HashSet<String>,
    /// Who speaks to clients that named no host.
    default_host: Arc<str>,
    open: Mutex<HashMap<u64, Arc<Wire>>>,
    next: AtomicU64,
    /// Told when the last stream has ended.
    drained: Notify,
}

impl Streams {
    /// Streams to these hosts of a core.
    pub fn new(core: Arc<Core>, tls: Tls, limits: Limits, hosts: HashSet<String>) -> Self {
        let first = core.hosts().iter().find(|host| hosts.contains(host.name())).cloned();
        let default_host = first.map_or_else(|| "localhost".into(), |host| host.name().into());
        Self {
            core,
            tls,
            limits,
            hosts,
            default_host,
            open: Mutex::default(),
            next: AtomicU64::new(0),
            drained: Notify::new(),
        }
    }

    /// The events behind the streams.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Serves one connection until it ends; `direct` if TLS begins with the first byte.
    pub async fn serve(self: Arc<Self>, socket: TcpStream, peer: SocketAddr, direct: bool) {
        let host = Arc::clone(&self.default_host);
        let wire =
            Arc::new(Wire::new(peer.ip().to_canonical(), self.limits.queue_bytes, host, !direct));
        let _open = Open::new(&self, &wire);
        Connection::new(Arc::clone(&self), wire, socket).run(direct).await;
    }

    /// How many connections there are.
    pub fn count(&self) -> usize {
        self.open().len()
    }

    /// Ends all streams with an error and waits until they are closed, at most for `limit`.
    pub async fn close_all(&self, error: StreamError, limit: Duration) {
        let wires: Vec<_> = self.open().values().cloned().collect();
        for wire in wires {
            wire.close(Some(error.clone()));
        }
        let drained = async {
            loop {
                let notified = self.drained.notified();
                if self.count() == 0 {
                    break;
                }
                notified.await;
            }
        };
        if tokio::time::timeout(limit, drained).await.is_err() {
            tracing::warn!(streams = self.count(), "streams did not close in time");
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Wire>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in the list, until it ends in whatever way.
struct Open {
    streams: Arc<Streams>,
    id: u64,
}

impl Open {
    fn new(streams: &Arc<Streams>, wire: &Arc<Wire>) -> Self {
        let id = streams.next.fetch_add(1, Ordering::Relaxed);
        streams.open().insert(id, Arc::clone(wire));
        Self { streams: Arc::clone(streams), id }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(wire) = open.remove(&self.id) {
            wire.gone();
        }
        if open.is_empty() {
            self.streams.drained.notify_waiters();
        }
    }
}
