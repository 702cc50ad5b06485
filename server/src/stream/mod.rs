//! Streams (RFC 6120, XEP-0114): one task for each connection, between its socket and the core.
//!
//! An idle stream holds no buffer: bytes are read into a buffer of the thread, and the queue of a
//! `Wire` exists only while bytes wait in it. Elements are handled one after the other. While a
//! handler waits, the stream is read up to a bound.

mod budget;
mod connection;
mod end;
mod handshakes;
mod header;
mod input;
mod io;
mod pool;
mod rate_limiter;
mod streams;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing;
#[cfg(test)]
mod tests;
mod tls;
mod traffic;
mod wakes;
mod wire;

use std::{net::SocketAddr, pin::Pin, sync::Arc};

use event_core::{Host, Session, SessionKind};
use tokio::net::TcpStream;

use connection::Connection;
pub use io::Io;
use streams::Registration;
pub use streams::{Settings, Streams};
pub(crate) use traffic::{ELEMENTS, STREAMS};
use wire::Opening;

impl Streams {
    /// Serves one connection that a listener accepted, until the stream ends. With `direct_tls`,
    /// TLS begins with the first byte. `guard` is dropped at the end.
    // Not an `async fn`, whose future would hold the arguments twice.
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
        let wire = self.wire(kind, peer, Opening::Answer, starttls);
        let guards = (Registration::new(&self, &wire), guard);
        let connection = Box::new(Connection::new(self, wire, socket.into()));
        async move {
            connection.run(direct_tls).await;
            drop(guards);
        }
    }

    /// Opens a stream to another server on the connection `to.io`.
    ///
    /// The session is of kind [`SessionKind::S2sOut`]. Elements from the other side fire events on
    /// the host; the stream features fire `stanza/http://etherx.jabber.org/streams:features`.
    /// [`Session::start_tls`] starts the TLS handshake as the client, with the host's certificate,
    /// and sends the stream header again; [`Session::restart`] only sends the header again. Call
    /// `authorize` when the stream is ready for stanzas. Until then the limits of unauthenticated
    /// streams apply, including the time limit.
    ///
    /// The future serves the stream until it ends. It returns the reason, unless the other side
    /// closed the stream without an error. The stream is opened when the future is first polled.
    pub fn connect(self: &Arc<Self>, to: Outgoing) -> (Session, OutgoingTask) {
        let Outgoing { host, domain, io, peer } = to;
        let opening = Opening::Header(header::outgoing(host.name(), &domain).into());
        let starttls = matches!(io, Io::Plain(_));
        let wire = self.wire(SessionKind::S2sOut, peer, opening, starttls);
        let registration = Registration::new(self, &wire);
        wire.set_host(&host);
        let session = Session::new(SessionKind::S2sOut, host, Arc::clone(&wire) as _);
        session.set_claimed_domain(Some(&domain));
        let mut connection = Box::new(Connection::new(Arc::clone(self), Arc::clone(&wire), io));
        connection.session = Some(session.clone());
        if starttls {
            wire.begin();
        } else {
            connection.note_tls();
        }
        let task = Box::pin(async move {
            let _registration = registration;
            connection.run(false).await
        });
        (session, task)
    }
}

/// A stream to be opened to another server.
#[derive(Debug)]
pub struct Outgoing {
    /// The local host that opens the stream.
    pub host: Arc<Host>,
    /// The remote domain.
    pub domain: Box<str>,
    /// The connection, with TLS or without.
    pub io: Io,
    /// The other side's address.
    pub peer: SocketAddr,
}

/// See [`Streams::connect`].
pub type OutgoingTask = Pin<Box<dyn Future<Output = Option<String>> + Send>>;
