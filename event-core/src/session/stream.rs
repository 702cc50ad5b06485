//! The interface between a session and its connection.

use std::net::IpAddr;

use xmpp_xml::{Element, STANZA_NS};

use crate::{protocol::stream_error::StreamError, util::future::BoxFuture};

/// The connection of a session. The server and the test harness implement this trait.
///
/// Writes keep their order; `start_tls`, `restart` and `close` take effect after all earlier
/// writes.
pub trait Stream: Send + Sync + std::fmt::Debug {
    /// Queues bytes that this server makes for the stream, such as an answer to the other side. The
    /// queue may exceed its limit by these bytes. Returns `false`, and queues nothing, when the
    /// stream is closed or the excess is too large. Then the stream of a client is closed.
    fn write(&self, bytes: &[u8]) -> bool;

    /// Queues a stanza of another entity. Returns `false`, and queues nothing, when the stream is
    /// closed, the queue is full, or the stanza's sender has used up its share of the queue. The
    /// stream stays open, unless the other side has read nothing for long.
    fn deliver(&self, stanza: &Element) -> bool {
        self.write(stanza.as_bytes())
    }

    /// Keeps the messages of [`Stream::deliver`] apart, in a bounded queue, until
    /// [`Stream::release`]. Those that are kept apart already are queued first.
    fn hold(&self) {}

    /// Queues the messages that were kept apart, in order.
    fn release(&self) {}

    /// The number of bytes that wait to be written.
    fn queued(&self) -> usize {
        0
    }

    /// Whether TLS protects the stream.
    fn is_encrypted(&self) -> bool;

    /// Whether [`Stream::start_tls`] is possible.
    fn can_start_tls(&self) -> bool;

    /// Starts TLS (RFC 6120 §5.4.3).
    fn start_tls(&self);

    /// The channel binding data `tls-exporter` (RFC 9266), if the connection provides the data.
    fn tls_exporter(&self) -> Option<Vec<u8>>;

    /// Restarts the stream: the other side then sends a new stream header (RFC 6120 §4.3.3).
    fn restart(&self);

    /// Closes the stream (RFC 6120 §4.4), after sending `error` if there is one.
    fn close(&self, error: Option<StreamError>);

    /// Notes that the other side has bound a resource or proved a domain. Until then, it is a
    /// stranger with less memory. May be called more than once.
    fn note_established(&self) {}

    /// The IP address of the other side.
    fn peer(&self) -> Option<IpAddr>;

    /// The certificate chain of the other side as DER, beginning with the other side's own
    /// certificate. TLS has proved the possession of that certificate's key; the chain has not been
    /// validated.
    fn peer_certificates(&self) -> Vec<Vec<u8>>;

    /// Waits until the kernel has taken all earlier writes. Returns `false` if the stream ends
    /// first. The stream of a client that reads nothing for long is closed.
    fn flushed(&self) -> BoxFuture<'_, bool>;
}

/// The kind of the entity at the other end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionKind {
    /// A client.
    Client,
    /// An external component (XEP-0114).
    Component,
    /// Another server, which opened the stream and sends stanzas on it.
    S2sIn,
    /// Another server, to which this server opened the stream and sends stanzas.
    S2sOut,
}

impl SessionKind {
    /// The namespace of the stanzas on the stream (RFC 6120 §4.8.3). Inside of this server all
    /// stanzas are in `jabber:client`.
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
