//! Who was sent directed presence: they are told when the client is gone (RFC 6121 §4.6.3).

use std::collections::{HashMap, HashSet};

use parking_lot::{Mutex, MutexGuard};

use event_core::{jid::Jid, prelude::*};

/// Whom a client may have sent directed presence, at most.
const MAX_DIRECTED: usize = 1000;

/// Who was sent directed presence, by session.
#[derive(Debug, Default)]
pub struct Directed(Mutex<HashMap<u64, HashSet<Jid>>>);

impl Directed {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, HashSet<Jid>>> {
        self.0.lock()
    }

    /// The client is available to `to`.
    pub(super) fn note(&self, session: &Session, to: &Jid) -> Result<(), StanzaError> {
        let mut directed = self.lock();
        let noted = directed.entry(session.id()).or_default();
        if noted.len() >= MAX_DIRECTED && !noted.contains(to) {
            let text = "directed presence went to too many addresses";
            return Err(StanzaError::resource_constraint().text(text));
        }
        noted.insert(to.clone());
        Ok(())
    }

    /// The client has told `to` itself that it is gone.
    pub(super) fn strike(&self, session: &Session, to: &Jid) {
        let mut directed = self.lock();
        if let Some(noted) = directed.get_mut(&session.id()) {
            noted.remove(to);
            if noted.is_empty() {
                directed.remove(&session.id());
            }
        }
    }

    /// All who have to be told, once.
    pub(super) fn take(&self, session: &Session) -> HashSet<Jid> {
        self.lock().remove(&session.id()).unwrap_or_default()
    }
}
