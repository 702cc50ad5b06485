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
mod pool;
mod rate_limiter;
mod streams;
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
        let guards = (Registration::new(&self, &wire), guard);
        let connection = Box::new(Connection::new(self, wire, socket.into()));
        async move {
            connection.run(direct_tls).await;
            drop(guards);
        }
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
