//! A stream without a wire.

use std::{collections::VecDeque, net::IpAddr, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use xmpp_xml::{Element, Limits, STANZA_NS, Scope};

use crate::{
    protocol::stream_error::StreamError, session::stream::Stream, util::future::BoxFuture,
};

/// The wire side of a test's client: what was written, and what the modules asked for.
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
        })))
    }
}

impl TestStream {
    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock()
    }

    /// Makes the stream a plain one that can start TLS, or an encrypted one.
    pub fn set_encrypted(&self, is_encrypted: bool) {
        self.wire().is_encrypted = is_encrypted;
    }

    /// Gives the connection channel binding data.
    pub fn set_tls_exporter(&self, data: &[u8]) {
        self.wire().exporter = Some(data.to_vec());
    }

    /// Lets the other side show certificates, its own first.
    pub fn set_peer_certificates(&self, chain: Vec<Vec<u8>>) {
        self.wire().certificates = chain;
    }

    /// Lets the other side stop reading: this many writes fit, the next fails.
    pub fn set_capacity(&self, writes: usize) {
        self.wire().capacity = writes;
    }

    /// What is written from now on never leaves: the connection is gone, and nobody knows yet.
    pub fn set_lossy(&self, is_lossy: bool) {
        self.wire().is_lossy = is_lossy;
    }

    /// How often the stream was restarted.
    pub fn restarts(&self) -> usize {
        self.wire().restarts
    }

    pub(super) fn closed(&self) -> Option<Option<StreamError>> {
        self.wire().closed.clone()
    }

    #[expect(
        clippy::expect_used,
        reason = "what the server writes is well-formed, or a test fails"
    )]
    pub(super) fn next(&self) -> Option<Element> {
        let bytes = self.wire().written.pop_front()?;
        let scope = Scope::new(STANZA_NS).with_prefix("db", "jabber:server:dialback");
        Some(Element::parse(&bytes, &scope, &Limits::UNBOUNDED).expect("an element"))
    }
}

impl Stream for TestStream {
    fn write(&self, bytes: &[u8]) -> bool {
        let mut wire = self.wire();
        let fits = wire.closed.is_none() && wire.written.len() < wire.capacity;
        if fits {
            wire.written.push_back(bytes.to_vec());
        }
        fits
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
            // Whoever waits for a wire lets others run.
            tokio::task::yield_now().await;
            let wire = wire.lock();
            wire.closed.is_none() && !wire.is_lossy
        })
    }
}
