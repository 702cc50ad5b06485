//! The registry of a host's bound sessions.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use jid::FullJid;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::session::session::{Session, SessionState};

const SHARDS: usize = 32;

/// The sessions of one account; never empty. The JIDs of all sessions contain the account's name.
type Account = Vec<Session>;

/// Accounts by the hash of their names. The same hash selects the shard, so each access hashes
/// once.
type Accounts = HashTable<Account>;

/// The bound sessions of a host, by account. Sharded, so that threads rarely wait for the same
/// lock.
#[derive(Debug)]
pub struct Sessions {
    hasher: RandomState,
    shards: Box<[Shard]>,
}

// Aligned to the size of a cache line, so that two locks never share a cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard(RwLock<Accounts>);

/// The reason why a session was not added.
#[derive(Debug)]
pub(crate) enum NotAdded {
    /// The account has reached the limit of sessions.
    TooMany,
    /// The session has a resource already.
    BoundAlready,
    /// The session has ended.
    Ended,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }

    /// The session of a full JID.
    pub fn find(&self, jid: &FullJid) -> Option<Session> {
        let resource = jid.resource().as_str();
        self.with(jid.node()?.as_str(), |sessions| {
            sessions.iter().find(|session| has_resource(session, resource)).cloned()
        })
    }

    /// All sessions of an account.
    pub fn of(&self, username: &str) -> Vec<Session> {
        self.with(username, <[Session]>::to_vec)
    }

    /// Calls `each` for every session of an account without copying the list. `each` must not call
    /// this registry, because a lock is held.
    pub fn each(&self, username: &str, each: impl FnMut(&Session)) {
        self.with(username, |sessions| sessions.iter().for_each(each));
    }

    /// All sessions of the host.
    pub fn all(&self) -> Vec<Session> {
        let shards = self.shards.iter();
        shards
            .flat_map(|shard| {
                let accounts = shard.0.read();
                accounts.iter().flatten().cloned().collect::<Vec<_>>()
            })
            .collect()
    }

    /// The number of sessions.
    pub fn len(&self) -> usize {
        let shards = self.shards.iter();
        shards
            .map(|shard| {
                let accounts = shard.0.read();
                accounts.iter().map(Vec::len).sum::<usize>()
            })
            .sum()
    }

    /// Whether no session is bound.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a session and sets the session's full JID; on an error, neither is done. Returns the
    /// session that had the resource before, if any.
    pub(crate) fn add(
        &self,
        session: &Session,
        jid: FullJid,
        limit: usize,
    ) -> Result<Option<Session>, NotAdded> {
        let Some(node) = jid.node() else { return Ok(None) };
        let hash = self.hash(node.as_str());
        let mut accounts = self.write(hash);
        // The session may have ended before this call, but cannot end during the call: only the
        // stream ends a session that is not in the registry, and the stream waits for the bind.
        if session.state() == SessionState::Ended {
            return Err(NotAdded::Ended);
        }
        let Some(sessions) =
            accounts.find_mut(hash, |account| username_of(account) == node.as_str())
        else {
            if limit == 0 {
                return Err(NotAdded::TooMany);
            }
            if !session.set_jid(jid) {
                return Err(NotAdded::BoundAlready);
            }
            accounts.insert_unique(hash, vec![session.clone()], |account| {
                self.hash(username_of(account))
            });
            return Ok(None);
        };
        let place = sessions.iter().position(|other| has_resource(other, jid.resource().as_str()));
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

    /// Removes a session. Returns `false` when the session is not in the registry.
    pub(crate) fn remove(&self, session: &Session) -> bool {
        let Some(node) = session.jid().and_then(|jid| jid.node()) else { return false };
        let hash = self.hash(node.as_str());
        let mut accounts = self.write(hash);
        let account = accounts.find_entry(hash, |account| username_of(account) == node.as_str());
        let Ok(mut account) = account else { return false };
        let sessions = account.get_mut();
        let before = sessions.len();
        sessions.retain(|other| other != session);
        let removed = sessions.len() < before;
        if sessions.is_empty() {
            account.remove();
        }
        removed
    }

    fn with<R: Default>(&self, username: &str, read: impl FnOnce(&[Session]) -> R) -> R {
        let hash = self.hash(username);
        let accounts = self.read(hash);
        let account = accounts.find(hash, |account| username_of(account) == username);
        account.map(|account| read(account)).unwrap_or_default()
    }

    fn hash(&self, username: &str) -> u64 {
        self.hasher.hash_one(username)
    }

    fn shard(&self, hash: u64) -> &RwLock<Accounts> {
        // `HashTable` uses the lowest and the highest bits, so the shard is selected by other bits.
        let number = usize::try_from((hash >> 32) % SHARDS as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "a shard's number is below SHARDS")]
        &self.shards[number].0
    }

    fn read(&self, hash: u64) -> RwLockReadGuard<'_, Accounts> {
        self.shard(hash).read()
    }

    fn write(&self, hash: u64) -> RwLockWriteGuard<'_, Accounts> {
        self.shard(hash).write()
    }
}

fn username_of(account: &Account) -> &str {
    let jid = account.first().and_then(Session::jid);
    jid.and_then(|jid| jid.node()).map_or("", |node| node.as_str())
}

fn has_resource(session: &Session, resource: &str) -> bool {
    session.jid().is_some_and(|jid| jid.resource().as_str() == resource)
}
