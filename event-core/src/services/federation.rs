//! The sending of stanzas to other servers, as a service.

use std::{net::IpAddr, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    host::host::Host,
    protocol::{stanza::Stanza, stanza_error::StanzaError},
    session::session::Session,
    util::future::BoxFuture,
};

/// Sends stanzas to other servers. Module `s2s` passes the stanzas to this service; the modules
/// that negotiate streams report the results to this service.
///
/// A host has this service if and only if the host exchanges stanzas with other servers: streams of
/// other servers reach no other host. Module `s2s` offers the service.
pub trait Federation: Send + Sync {
    /// Queues a stanza for the domain of its `to`. Stanzas from one domain to another keep their
    /// order. The sender gets an error when the stanza cannot be sent.
    ///
    /// # Errors
    /// The stanza was not queued: the share of its sender is used up, the domain could not be
    /// reached a short time ago, or the server is about to stop.
    fn send(&self, stanza: &Stanza) -> Result<(), StanzaError>;

    /// Whether the peer's certificate on a stream proves a domain (RFC 6120 §13.7.2). Fires
    /// `s2s-check-certificate`.
    fn proves<'a>(&'a self, session: &'a Session, domain: &'a str) -> BoxFuture<'a, bool>;

    /// Whether dialback (XEP-0220) may prove a domain that the certificate does not prove. It never
    /// proves a domain whose certificates are pinned.
    fn allows_dialback(&self, domain: &str) -> bool;

    /// Asks the authoritative server of a domain whether a dialback key is valid (XEP-0220 §2.3.3).
    /// The request is sent on a new stream, whose session has a [`KeyCheck`] in a slot for module
    /// `dialback`.
    ///
    /// Keys of one address wait for each other. If the future is dropped, the question is
    /// withdrawn.
    ///
    /// # Errors
    /// The authoritative server cannot be reached, or does not answer.
    fn verify<'a>(&'a self, check: KeyQuestion<'a>) -> BoxFuture<'a, Result<bool, StanzaError>>;

    /// Reports that the negotiation of a stream has succeeded.
    fn complete_negotiation(&self, session: &Session);

    /// Reports that the negotiation of a stream has failed. The stream is closed and the senders of
    /// the queued stanzas get `error`.
    fn fail_negotiation(&self, session: &Session, error: StanzaError);
}

/// The server's own federation, which every host has. Module `s2s` offers it as [`Federation`] on
/// the hosts on which the module runs.
#[derive(Clone)]
pub struct ServerFederation(pub Arc<dyn Federation>);

impl std::fmt::Debug for ServerFederation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerFederation")
    }
}

/// A dialback key to be verified (XEP-0220 §2.3).
#[derive(Debug, Clone, Copy)]
pub struct KeyQuestion<'a> {
    /// The local host that received the key.
    pub host: &'a Arc<Host>,
    /// The domain that the key is to prove. The server of this domain verifies the key.
    pub domain: &'a str,
    /// The id of the stream on which the key was received.
    pub stream_id: &'a str,
    /// The key.
    pub key: &'a str,
    /// The IP address that sent the key.
    pub peer: Option<IpAddr>,
}

/// A request to verify a dialback key, on a stream that serves only this request. If the value is
/// dropped without an answer, for example at the end of the session, the receiver is closed.
#[derive(Debug)]
pub struct KeyCheck {
    /// The id of the stream on which the key was received.
    pub stream_id: Box<str>,
    /// The key.
    pub key: Box<str>,
    answer: Mutex<Option<oneshot::Sender<bool>>>,
}

impl KeyCheck {
    /// Makes a request and the receiver of the answer.
    pub fn new(stream_id: &str, key: &str) -> (Self, oneshot::Receiver<bool>) {
        let (sender, receiver) = oneshot::channel();
        let answer = Mutex::new(Some(sender));
        (Self { stream_id: stream_id.into(), key: key.into(), answer }, receiver)
    }

    /// Sends the answer of the authoritative server to the receiver.
    pub fn answer(&self, is_valid: bool) {
        let sender = self.answer.lock().take();
        // `send` fails if the caller no longer waits.
        let _ = sender.map(|sender| sender.send(is_valid));
    }
}
