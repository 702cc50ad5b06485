//! Which resources of which accounts are connected to a host.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use jid::FullJid;

use crate::{Session, SessionState};

const SHARDS: usize = 32;

type Accounts = HashMap<Box<str>, Vec<Session>>;

/// The bound sessions of a host, by account.
#[derive(Debug)]
pub struct Sessions {
    hasher: RandomState,
    shards: Box<[RwLock<Accounts>]>,
}

/// Why a session was not taken in.
#[derive(Debug)]
pub(crate) enum NotAdded {
    TooMany,
    BoundAlready,
    Ended,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
        }
    }

    /// The session of a full JID.
    pub fn find(&self, jid: &FullJid) -> Option<Session> {
        let resource = jid.resource().as_str();
        let accounts = self.read(jid.node()?.as_str());
        let sessions = accounts.get(jid.node()?.as_str())?;
        sessions.iter().find(|session| is(session, resource)).cloned()
    }

    /// All sessions of an account.
    pub fn of(&self, username: &str) -> Vec<Session> {
        self.read(username).get(username).cloned().unwrap_or_default()
    }

    /// Calls `each` for every session of an account, without copying the list. `each` must not
    /// come back to this registry.
    pub fn each(&self, username: &str, each: impl FnMut(&Session)) {
        if let Some(sessions) = self.read(username).get(username) {
            sessions.iter().for_each(each);
        }
    }

    /// All sessions of the host.
    pub fn all(&self) -> Vec<Session> {
        let shards = self.shards.iter();
        shards
            .flat_map(|shard| {
                let accounts = shard.read().unwrap_or_else(PoisonError::into_inner);
                accounts.values().flatten().cloned().collect::<Vec<_>>()
            })
            .collect()
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        let shards = self.shards.iter();
        shards
            .map(|shard| {
                let accounts = shard.read().unwrap_or_else(PoisonError::into_inner);
                accounts.values().map(Vec::len).sum::<usize>()
            })
            .sum()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a session in and gives it its full JID, both or neither; what stood on its resource
    /// comes back.
    pub(crate) fn add(
        &self,
        session: &Session,
        jid: FullJid,
        limit: usize,
    ) -> Result<Option<Session>, NotAdded> {
        let Some(node) = jid.node() else { return Ok(None) };
        let mut accounts = self.write(node.as_str());
        // A session that ends from here on finds itself in the list, or waits for the lock.
        if session.state() == SessionState::Ended {
            return Err(NotAdded::Ended);
        }
        let sessions = accounts.entry(node.as_str().into()).or_default();
        let place = sessions.iter().position(|other| is(other, jid.resource().as_str()));
        if place.is_none() && sessions.len() >= limit {
            return Err(NotAdded::TooMany);
        }
        if !session.set_jid(jid) {
            return Err(NotAdded::BoundAlready);
        }
        match place.and_then(|place| sessions.get_mut(place)) {
            Some(place) => Ok(Some(std::mem::replace(place, session.clone()))),
            None => {
                sessions.push(session.clone());
                Ok(None)
            }
        }
    }

    /// Takes a session out. `false` when it was not, or no longer, there.
    pub(crate) fn remove(&self, session: &Session) -> bool {
        let Some(node) = session.jid().and_then(|jid| jid.node()) else { return false };
        let mut accounts = self.write(node.as_str());
        let Some(sessions) = accounts.get_mut(node.as_str()) else { return false };
        let before = sessions.len();
        sessions.retain(|other| other != session);
        let removed = sessions.len() < before;
        if sessions.is_empty() {
            accounts.remove(node.as_str());
        }
        removed
    }

    fn shard(&self, username: &str) -> usize {
        let hash = self.hasher.hash_one(username);
        usize::try_from(hash % SHARDS as u64).unwrap_or(0)
    }

    fn read(&self, username: &str) -> RwLockReadGuard<'_, Accounts> {
        #[expect(clippy::indexing_slicing, reason = "a shard's number is below SHARDS")]
        self.shards[self.shard(username)].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, username: &str) -> RwLockWriteGuard<'_, Accounts> {
        #[expect(clippy::indexing_slicing, reason = "a shard's number is below SHARDS")]
        self.shards[self.shard(username)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is(session: &Session, resource: &str) -> bool {
    session.jid().is_some_and(|jid| jid.resource().as_str() == resource)
}
