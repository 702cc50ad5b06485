//! Streams (RFC 6120, XEP-0114): one task for each connection, between its socket and the core.
//!
//! A stream that waits holds no buffer: bytes are read into one that the thread lends, and what
//! is sent to it waits in its `Wire` only until the task has written it. Elements
//! are handled one after the other; while a handler waits, the stream is read on up to a bound.

mod budget;
mod connection;
mod end;
mod header;
mod input;
mod io;
mod pace;
mod pool;
mod secure;
#[cfg(test)]
mod tests;
mod tls;
mod traffic;
mod wakes;
mod wire;

use std::{
    collections::HashSet,
    hash::{Hash, Hasher},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;

use arc_swap::ArcSwap;
use event_core::{Core, Host, Session, SessionKind, StreamError, random_id};
use tokio::{net::TcpStream, sync::Notify};

use crate::{
    config::{Config, Limits},
    tls::Tls,
};
use budget::{Budget, Share};
use connection::Connection;
pub use io::Io;
pub(crate) use traffic::{ELEMENTS, STREAMS, Traffic};
use wire::{Opening, Wire};

/// What all streams share.
#[derive(Debug)]
pub struct Streams {
    core: Arc<Core>,
    settings: ArcSwap<Settings>,
    budget: Arc<Budget>,
    open: Mutex<HashSet<Listed>>,
    pub(crate) traffic: Traffic,
    /// Told when a stream has ended.
    ended: Notify,
}

/// What the configuration says of streams. A connection keeps the limits it began with; hosts and
/// certificates are those of the moment.
#[derive(Debug)]
pub struct Settings {
    tls: Arc<Tls>,
    limits: Limits,
    /// The domains that clients may open streams to.
    hosts: HashSet<String>,
    /// Who speaks to those that named no host.
    default_host: Arc<str>,
}

impl Settings {
    /// What a config says, with its certificates.
    pub fn new(config: &Config, tls: Tls) -> Self {
        let first = config.host.keys().next().map_or("localhost", String::as_str);
        Self {
            tls: Arc::new(tls),
            limits: config.limits.clone(),
            hosts: config.host.keys().cloned().collect(),
            default_host: first.into(),
        }
    }
}

impl Streams {
    /// Streams to the hosts of a core.
    pub fn new(core: Arc<Core>, settings: Settings) -> Self {
        Self {
            core,
            budget: Arc::new(Budget::new(settings.limits.waiting_bytes)),
            settings: ArcSwap::from_pointee(settings),
            open: Mutex::default(),
            traffic: Traffic::default(),
            ended: Notify::new(),
        }
    }

    /// The events behind the streams.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Makes other settings hold, limits for connections that begin from now on.
    pub fn configure(&self, settings: Settings) {
        self.budget.set(settings.limits.waiting_bytes);
        self.settings.store(Arc::new(settings));
    }

    fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// What this server offers and is shown for TLS.
    pub fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.settings.load().tls)
    }

    /// Serves one connection that a listener accepted, with TLS from the first byte or not, until
    /// it ends; `guard` is dropped then.
    // No `async fn`: its future would keep room for the arguments, too.
    pub fn serve<G: Send>(
        self: Arc<Self>,
        socket: TcpStream,
        peer: SocketAddr,
        kind: SessionKind,
        direct_tls: bool,
        guard: G,
    ) -> impl Future<Output = ()> + Send + use<G> {
        // Components have no STARTTLS (XEP-0114 §3).
        let starttls = !direct_tls && kind != SessionKind::Component;
        let wire = self.wire(
            kind,
            peer,
            Opening::Answer(Arc::clone(&self.settings.load().default_host)),
            starttls,
        );
        let guards = (Open::new(&self, &wire), guard);
        let connection = Box::new(Connection::new(self, wire, socket.into()));
        async move {
            connection.run(direct_tls).await;
            drop(guards);
        }
    }

    /// What somebody is told who gets no stream.
    pub(crate) fn refusal(&self, kind: SessionKind, error: &StreamError) -> String {
        let host = Arc::clone(&self.settings.load().default_host);
        let header = header::answer(kind, &host, &random_id(), None);
        format!("{header}{}</stream:stream>", error.to_xml())
    }

    /// Opens a stream to another server on a connection that is there, with TLS or without.
    ///
    /// The session is one of kind [`SessionKind::S2sOut`]: what the other side sends arrives as
    /// events on its host, the stream's features as `stanza/http://etherx.jabber.org/streams:features`.
    /// [`Session::start_tls`] shakes hands as the client, with the certificate of the host, and
    /// sends the stream header anew; so does [`Session::restart`]. `authorize` the domain when
    /// the stream is ready for stanzas: until then the limits for strangers hold, the time too.
    ///
    /// The future serves the stream to its end, and gives the reason unless the stream was
    /// closed from the other side without an error. It must run for the stream to be opened.
    pub fn connect(self: &Arc<Self>, to: Outgoing) -> (Session, OutgoingTask) {
        let Outgoing { host, domain, io, peer } = to;
        let opening = Opening::Header(header::outgoing(host.name(), &domain).into());
        let starttls = matches!(io, Io::Plain(_));
        let wire = self.wire(SessionKind::S2sOut, peer, opening, starttls);
        let open = Open::new(self, &wire);
        wire.belongs_to(&host);
        let session = Session::new(SessionKind::S2sOut, host, Arc::clone(&wire) as _);
        session.set_claimed_domain(Some(&domain));
        let mut connection = Box::new(Connection::new(Arc::clone(self), Arc::clone(&wire), io));
        connection.session = Some(session.clone());
        if starttls {
            wire.begin();
        } else {
            connection.secured();
        }
        let task = Box::pin(async move {
            let _open = open;
            connection.run(false).await
        });
        (session, task)
    }

    fn wire(
        &self,
        kind: SessionKind,
        peer: SocketAddr,
        opening: Opening,
        starttls: bool,
    ) -> Arc<Wire> {
        let limits = &self.settings.load().limits;
        let max = match kind {
            SessionKind::Client => limits.queue_bytes,
            _ => limits.server_queue_bytes,
        };
        let share = Share::of(&self.budget);
        Arc::new(Wire::new(kind, peer.ip().to_canonical(), max, share, opening, starttls))
    }

    /// Ends the streams of a host with an error.
    pub fn close_host(&self, host: &Arc<Host>, error: &StreamError) {
        let wires: Vec<_> = self.open().iter().cloned().collect();
        for Listed(wire) in wires.iter().filter(|Listed(wire)| wire.is_of(host)) {
            wire.close(Some(error.clone()));
        }
    }

    /// How many connections there are.
    pub fn count(&self) -> usize {
        self.open().len()
    }

    /// The connections of each kind in [`STREAMS`], and the bytes that wait to be written to them.
    pub(crate) fn queued(&self) -> [(usize, usize); STREAMS.len()] {
        let mut all = [(0, 0); STREAMS.len()];
        for Listed(wire) in &*self.open() {
            let place = STREAMS.iter().zip(&mut all).find(|((kind, _), _)| *kind == wire.kind);
            if let Some((_, (count, bytes))) = place {
                *count += 1;
                *bytes += wire.queued();
            }
        }
        all
    }

    /// Ends all streams with an error and waits until they are closed, at most for `limit`.
    pub async fn close_all(&self, error: StreamError, limit: Duration) {
        self.close_those(|_| true, &error, limit).await;
    }

    /// As [`Streams::close_all`], for the streams of one kind.
    pub async fn close_kind(&self, kind: SessionKind, error: &StreamError, limit: Duration) {
        self.close_those(|wire| wire.kind == kind, error, limit).await;
    }

    async fn close_those(
        &self,
        is_meant: impl Fn(&Wire) -> bool,
        error: &StreamError,
        limit: Duration,
    ) {
        let meant = || {
            let open = self.open();
            open.iter().filter(|Listed(wire)| is_meant(wire)).cloned().collect::<Vec<_>>()
        };
        for Listed(wire) in meant() {
            wire.close(Some(error.clone()));
        }
        let ended = async {
            loop {
                let notified = self.ended.notified();
                if meant().is_empty() {
                    break;
                }
                notified.await;
            }
        };
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!(streams = meant().len(), "streams did not close in time");
        }
    }

    fn open(&self) -> parking_lot::MutexGuard<'_, HashSet<Listed>> {
        self.open.lock()
    }
}

/// A stream to be opened to another server.
#[derive(Debug)]
pub struct Outgoing {
    /// The host here that it is for.
    pub host: Arc<Host>,
    /// The domain it is to.
    pub domain: Box<str>,
    /// The connection: plain, or with TLS already.
    pub io: Io,
    /// The other side's address.
    pub peer: SocketAddr,
}

/// See [`Streams::connect`].
pub type OutgoingTask = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// The writing side of an open stream, which is equal to itself alone.
// A set of these takes half of what a map by number would.
#[derive(Debug, Clone)]
struct Listed(Arc<Wire>);

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Listed {}

impl Hash for Listed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// A connection in the list, until it ends in whatever way.
struct Open {
    streams: Arc<Streams>,
    wire: Listed,
}

impl Open {
    fn new(streams: &Arc<Streams>, wire: &Arc<Wire>) -> Self {
        let wire = Listed(Arc::clone(wire));
        streams.open().insert(wire.clone());
        Self { streams: Arc::clone(streams), wire }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.streams.open().remove(&self.wire);
        self.wire.0.gone();
        self.streams.ended.notify_waiters();
    }
}
