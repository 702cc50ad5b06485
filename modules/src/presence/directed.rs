//! The recipients of directed presence, who get unavailable presence when the client leaves (RFC
//! 6121 §4.6.3).

use std::collections::{HashMap, HashSet};

use event_core::{jid::Jid, prelude::*};
use parking_lot::Mutex;

/// The maximum number of recipients of a client.
const MAX_RECIPIENTS: usize = 1000;

/// The recipients of directed presence, by session id.
#[derive(Debug, Default)]
pub struct Directed(Mutex<HashMap<u64, HashSet<Jid>>>);

impl Directed {
    /// Adds `to`, to which the client sends available presence.
    pub(super) fn add(&self, session: &Session, to: &Jid) -> Result<(), StanzaError> {
        let mut directed = self.0.lock();
        let recipients = directed.entry(session.id()).or_default();
        if recipients.len() >= MAX_RECIPIENTS && !recipients.contains(to) {
            let text = "the client has sent directed presence to too many addresses";
            return Err(StanzaError::resource_constraint().text(text));
        }
        recipients.insert(to.clone());
        Ok(())
    }

    /// Removes `to`, to which the client sends unavailable presence.
    pub(super) fn remove(&self, session: &Session, to: &Jid) {
        let mut directed = self.0.lock();
        if let Some(recipients) = directed.get_mut(&session.id()) {
            recipients.remove(to);
            if recipients.is_empty() {
                directed.remove(&session.id());
            }
        }
    }

    /// Removes and returns all recipients of the client.
    pub(super) fn take(&self, session: &Session) -> HashSet<Jid> {
        self.0.lock().remove(&session.id()).unwrap_or_default()
    }
}
