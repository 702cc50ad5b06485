//! Other servers, as the modules that negotiate with them see this one.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    host::host::Host,
    protocol::{stanza::Stanza, stanza_error::StanzaError},
    session::session::Session,
    util::future::BoxFuture,
};

/// What brings stanzas to other servers. Module `s2s` hands them over; the modules that negotiate
/// streams say here what became of one.
pub trait Federation: Send + Sync {
    /// Takes a stanza for the domain of its `to`. It goes out in order with the others from the
    /// sender's domain, or its sender gets an error.
    ///
    /// # Errors
    /// It was not taken: too many wait already, or the server is about to stop.
    fn send(&self, stanza: &Stanza) -> Result<(), StanzaError>;

    /// Whether the certificate that was shown on a stream proves a domain (RFC 6120 §13.7.2).
    /// Fires `s2s-check-certificate`.
    fn proves<'a>(&'a self, session: &'a Session, domain: &'a str) -> BoxFuture<'a, bool>;

    /// Whether dialback may prove a domain where a certificate does not.
    fn allows_dialback(&self) -> bool;

    /// Asks a domain's own server whether it made a dialback key (XEP-0220 §2.3.3), over a stream
    /// on which module `dialback` finds the [`KeyCheck`] in a slot of the session.
    ///
    /// # Errors
    /// It cannot be asked, or does not answer.
    fn verify<'a>(&'a self, check: KeyQuestion<'a>) -> BoxFuture<'a, Result<bool, StanzaError>>;

    /// The stream to another server is ready for stanzas.
    fn established(&self, session: &Session);

    /// The stream to another server leads to nothing: it is closed, and who wrote to that server
    /// gets the error.
    fn refused(&self, session: &Session, error: StanzaError);
}

/// A dialback key, and who is said to have made it for what.
#[derive(Debug, Clone, Copy)]
pub struct KeyQuestion<'a> {
    /// The host here that was given the key.
    pub host: &'a Arc<Host>,
    /// The domain that is to be proved, whose server is asked.
    pub domain: &'a str,
    /// The id of the stream that the key came by.
    pub stream_id: &'a str,
    /// The key.
    pub key: &'a str,
}

/// A question to be asked on a stream that serves nothing else. When the session ends without an
/// answer, whoever asked learns that.
#[derive(Debug)]
pub struct KeyCheck {
    /// The id of the stream that the key came by.
    pub stream_id: Box<str>,
    /// The key.
    pub key: Box<str>,
    answer: Mutex<Option<oneshot::Sender<bool>>>,
}

impl KeyCheck {
    /// A question, and where its answer arrives.
    pub fn new(stream_id: &str, key: &str) -> (Self, oneshot::Receiver<bool>) {
        let (sender, receiver) = oneshot::channel();
        let answer = Mutex::new(Some(sender));
        (Self { stream_id: stream_id.into(), key: key.into(), answer }, receiver)
    }

    /// The domain's server has said whether the key is its own.
    pub fn answer(&self, is_valid: bool) {
        let sender = self.answer.lock().take();
        // Who asked may have given up.
        let _ = sender.map(|sender| sender.send(is_valid));
    }
}
