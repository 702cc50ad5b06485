//! A stream without a socket.

use std::{collections::VecDeque, net::IpAddr, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use xmpp_xml::{Element, NamespaceScope, XmlLimits};

use crate::{
    protocol::stream_error::StreamError,
    session::stream::{SessionKind, Stream},
    util::future::BoxFuture,
};

/// The connection of a [`Client`](super::Client): records writes and calls of the server.
#[derive(Clone, Debug)]
pub struct TestStream(Arc<Mutex<Wire>>);

#[derive(Debug)]
struct Wire {
    written: VecDeque<Vec<u8>>,
    is_encrypted: bool,
    exporter: Option<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
    restarts: usize,
    capacity: usize,
    closed: Option<Option<StreamError>>,
    is_lossy: bool,
    /// The messages that are kept apart, and whether one was refused.
    held: Option<(Vec<Vec<u8>>, bool)>,
    is_stuck: bool,
    unflushed: usize,
    peak: usize,
}

impl Default for TestStream {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Wire {
            written: VecDeque::new(),
            is_encrypted: true,
            exporter: None,
            certificates: Vec::new(),
            restarts: 0,
            capacity: usize::MAX,
            closed: None,
            is_lossy: false,
            held: None,
            is_stuck: false,
            unflushed: 0,
            peak: 0,
        })))
    }
}

impl Wire {
    fn write(&mut self, bytes: &[u8]) -> bool {
        let fits = self.closed.is_none() && self.written.len() < self.capacity;
        if fits {
            self.written.push_back(bytes.to_vec());
            self.unflushed += bytes.len();
            self.peak = self.peak.max(self.unflushed);
        }
        fits
    }
}

impl TestStream {
    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock()
    }

    /// Sets whether the stream has TLS. A stream without TLS can start TLS.
    pub fn set_encrypted(&self, is_encrypted: bool) {
        self.wire().is_encrypted = is_encrypted;
    }

    /// Sets the channel binding data `tls-exporter` (RFC 9266).
    pub fn set_tls_exporter(&self, data: &[u8]) {
        self.wire().exporter = Some(data.to_vec());
    }

    /// Sets the certificate chain of the other side as DER, beginning with the other side's own
    /// certificate.
    pub fn set_peer_certificates(&self, chain: Vec<Vec<u8>>) {
        self.wire().certificates = chain;
    }

    /// Limits the number of writes that the test has not read. Further writes fail.
    pub fn set_capacity(&self, writes: usize) {
        self.wire().capacity = writes;
    }

    /// Sets whether the connection is lost without the server's knowledge: writes succeed, flushing
    /// fails.
    pub fn set_lossy(&self, is_lossy: bool) {
        self.wire().is_lossy = is_lossy;
    }

    /// Sets whether the other side reads nothing: writes succeed, a flush waits.
    pub fn set_stuck(&self, is_stuck: bool) {
        self.wire().is_stuck = is_stuck;
    }

    /// The largest number of bytes that were written without waiting for a flush.
    pub fn peak_unflushed(&self) -> usize {
        self.wire().peak
    }

    /// The number of restarts of the stream.
    pub fn restarts(&self) -> usize {
        self.wire().restarts
    }

    pub(super) fn closed(&self) -> Option<Option<StreamError>> {
        self.wire().closed.clone()
    }

    pub(super) fn next(&self) -> Option<Element> {
        let bytes = self.wire().written.pop_front()?;
        // What is written to a component may be in the namespace of its stream.
        let scope = NamespaceScope::new(SessionKind::Component.namespace())
            .with_prefix("db", "jabber:server:dialback");
        let element = Element::parse(&bytes, &scope, &XmlLimits::UNBOUNDED);
        Some(element.unwrap_or_else(|error| {
            panic!("the server wrote no element: {error}: {}", String::from_utf8_lossy(&bytes))
        }))
    }
}

impl Stream for TestStream {
    fn write(&self, bytes: &[u8]) -> bool {
        self.wire().write(bytes)
    }

    fn deliver(&self, stanza: &Element) -> bool {
        let mut wire = self.wire();
        let held = wire.held.as_mut().filter(|_| stanza.name() == "message");
        let Some((held, is_full)) = held else { return wire.write(stanza.as_bytes()) };
        const MAX_HELD: usize = 64 * 1024;
        let bytes = held.iter().map(Vec::len).sum::<usize>() + stanza.as_bytes().len();
        *is_full |= bytes > MAX_HELD;
        if !*is_full {
            held.push(stanza.as_bytes().to_vec());
        }
        !*is_full
    }

    fn hold(&self) {
        self.release();
        self.wire().held = Some(Default::default());
    }

    fn release(&self) {
        let mut wire = self.wire();
        let held = wire.held.take();
        wire.written.extend(held.into_iter().flat_map(|(held, _)| held));
    }

    fn queued(&self) -> usize {
        self.wire().unflushed
    }

    fn is_encrypted(&self) -> bool {
        self.wire().is_encrypted
    }

    fn can_start_tls(&self) -> bool {
        !self.wire().is_encrypted
    }

    fn start_tls(&self) {
        self.wire().is_encrypted = true;
    }

    fn tls_exporter(&self) -> Option<Vec<u8>> {
        self.wire().exporter.clone()
    }

    fn restart(&self) {
        self.wire().restarts += 1;
    }

    fn close(&self, error: Option<StreamError>) {
        self.wire().closed.get_or_insert(error);
    }

    fn peer(&self) -> Option<IpAddr> {
        None
    }

    fn peer_certificates(&self) -> Vec<Vec<u8>> {
        self.wire().certificates.clone()
    }

    fn flushed(&self) -> BoxFuture<'_, bool> {
        let wire = Arc::clone(&self.0);
        Box::pin(async move {
            // Let other tasks run, as a real flush does.
            tokio::task::yield_now().await;
            while wire.lock().is_stuck {
                tokio::task::yield_now().await;
            }
            let mut wire = wire.lock();
            wire.unflushed = 0;
            wire.closed.is_none() && !wire.is_lossy
        })
    }
}
