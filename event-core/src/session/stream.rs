//! The wire side of a stream, which the server or the test harness implements.

use std::net::IpAddr;

use xmpp_xml::STANZA_NS;

use crate::{protocol::stream_error::StreamError, util::future::BoxFuture};

/// The wire side of a stream.
///
/// What is written keeps its order; `start_tls`, `restart` and `close` take effect after all that
/// was written before them.
pub trait Stream: Send + Sync + std::fmt::Debug {
    /// Queues bytes to be written. `false` when the stream is closed or its queue is full; then
    /// nothing was queued. A client whose queue is full loses its stream; other servers and
    /// components keep it, as what is refused concerns one of many.
    fn write(&self, bytes: &[u8]) -> bool;

    /// Whether TLS protects the stream.
    fn is_encrypted(&self) -> bool;

    /// Whether [`Stream::start_tls`] would work.
    fn can_start_tls(&self) -> bool;

    /// Takes the stream to TLS (RFC 6120 §5.4.3).
    fn start_tls(&self);

    /// The TLS exporter's channel binding data (RFC 9266), where the connection has it.
    fn tls_exporter(&self) -> Option<Vec<u8>>;

    /// Expects a new stream header (RFC 6120 §4.3.3).
    fn restart(&self);

    /// Ends the stream (RFC 6120 §4.4), with an error if there is one.
    fn close(&self, error: Option<StreamError>);

    /// The address of the other side.
    fn peer(&self) -> Option<IpAddr>;

    /// The certificates that the other side showed for TLS, as DER, its own first. That it holds
    /// the key of the first is proved, nothing else.
    fn peer_certificates(&self) -> Vec<Vec<u8>>;
    /// Completes when the system has taken all that was written so far, or when it never will;
    /// says which.
    fn flushed(&self) -> BoxFuture<'_, bool>;
}

/// Who is at the other end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionKind {
    /// A client.
    Client,
    /// An external component (XEP-0114).
    Component,
    /// Another server, which opened the stream to send its stanzas.
    S2sIn,
    /// Another server, to which this one opened the stream to send its stanzas.
    S2sOut,
}

impl SessionKind {
    /// The namespace of the stanzas on the wire, which within this server are all in
    /// `jabber:client`.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Client => STANZA_NS,
            Self::Component => "jabber:component:accept",
            Self::S2sIn | Self::S2sOut => "jabber:server",
        }
    }

    /// Whether another server is at the other end.
    pub const fn is_server(self) -> bool {
        matches!(self, Self::S2sIn | Self::S2sOut)
    }
}
