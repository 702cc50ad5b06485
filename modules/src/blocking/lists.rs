//! The blocklists. All non-empty lists are also kept in memory, so that no stanza waits for
//! storage.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;

use arc_swap::ArcSwap;
use event_core::{
    jid::Jid,
    storage::{Schema, StorageResult, Store},
};
use tokio::sync::OwnedMutexGuard;

use crate::locks::Locks;

pub(super) const SCHEMA: Schema = Schema { store: "blocking", version: 1, migrations: &[] };

/// The key of an account's list: one address per line.
const KEY: &str = "list";

/// The number of list owners that are read at once.
const PAGE: u32 = 1000;

/// The addresses that one user has blocked.
#[derive(Clone, Debug, Default)]
pub struct Blocklist(BTreeSet<Box<str>>);

impl Blocklist {
    /// Whether the list has an address, its bare JID, or its domain (XEP-0191 §5).
    pub fn blocks(&self, jid: &Jid) -> bool {
        self.0.contains(jid.as_str())
            || self.0.contains(jid.to_bare().as_str())
            || self.0.contains(jid.domain().as_str())
    }

    /// The addresses, in byte order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|jid| &**jid)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The size of the list as it is stored, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.iter().map(|jid| jid.len() + 1).sum()
    }

    pub(super) fn insert(&mut self, jid: &Jid) {
        self.0.insert(jid.as_str().into());
    }

    pub(super) fn remove(&mut self, jid: &Jid) {
        self.0.remove(jid.as_str());
    }

    fn read(value: &[u8]) -> Self {
        Self(String::from_utf8_lossy(value).lines().map(Box::from).collect())
    }

    fn write(&self) -> Vec<u8> {
        self.iter().collect::<Vec<_>>().join("\n").into_bytes()
    }
}

/// The non-empty lists, by username.
type Lists = HashMap<Arc<str>, Arc<Blocklist>>;

/// The lists of one host's users, provided as a service for other modules.
#[derive(Debug)]
pub struct Blocklists {
    host: Box<str>,
    store: Store,
    locks: Locks,
    /// The lists are read for every stanza and rarely change. A lock would slow down all threads.
    lists: ArcSwap<Lists>,
    /// The senders and newly blocked recipients of unavailable presence that may still pass.
    allowed: Mutex<HashSet<(Box<str>, Box<str>)>>,
}

async fn read_all(store: &Store) -> StorageResult<Lists> {
    let mut lists = Lists::new();
    let mut after: Option<String> = None;
    loop {
        let owners = store.owners(after.as_deref(), PAGE).await?;
        for owner in &owners {
            if let Some(value) = store.get(owner, KEY).await? {
                lists.insert(owner.as_str().into(), Arc::new(Blocklist::read(&value)));
            }
        }
        let is_last = owners.len() < PAGE as usize;
        match owners.into_iter().next_back() {
            Some(last) if !is_last => after = Some(last),
            _ => return Ok(lists),
        }
    }
}

impl Blocklists {
    /// Reads all lists of a host.
    pub(super) async fn read(host: &str, store: Store) -> StorageResult<Self> {
        Ok(Self {
            host: host.into(),
            lists: ArcSwap::from_pointee(read_all(&store).await?),
            store,
            locks: Locks::default(),
            allowed: Mutex::default(),
        })
    }

    /// Whether a user of this host has blocked `other`. The user's own account and host are never
    /// blocked.
    pub fn blocks(&self, user: &Jid, other: &Jid) -> bool {
        let lists = self.lists.load();
        let Some(list) = user.node().and_then(|username| lists.get(username.as_str())) else {
            return false;
        };
        let is_host = other.node().is_none() && other.domain().as_str() == &*self.host;
        let is_own = user.node() == other.node() && user.domain() == other.domain();
        !is_host && !is_own && list.blocks(other)
    }

    /// A user's list.
    pub fn of(&self, username: &str) -> Arc<Blocklist> {
        self.lists.load().get(username).cloned().unwrap_or_default()
    }

    /// Locks the user's list for a change.
    pub(super) async fn lock(&self, username: &str) -> OwnedMutexGuard<()> {
        self.locks.lock(username).await
    }

    pub(super) async fn set(
        &self,
        username: &str,
        list: Blocklist,
        _lock: &OwnedMutexGuard<()>,
    ) -> StorageResult<()> {
        if list.0.is_empty() {
            self.store.delete(username, KEY).await?;
        } else {
            self.store.set(username, KEY, list.write()).await?;
        }
        self.publish(username, list);
        Ok(())
    }

    /// Removes the list of a deleted account from memory.
    pub(super) async fn forget(&self, username: &str) {
        let _lock = self.lock(username).await;
        self.publish(username, Blocklist::default());
    }

    fn publish(&self, username: &str, list: Blocklist) {
        let list = (!list.0.is_empty()).then(|| Arc::new(list));
        // Lists of two users may change at the same time.
        self.lists.rcu(|lists| {
            let mut lists = Lists::clone(lists);
            match &list {
                Some(list) => lists.insert(username.into(), Arc::clone(list)),
                None => lists.remove(username),
            };
            lists
        });
    }

    /// Lets one unavailable presence pass to a newly blocked address.
    pub(super) fn allow_unavailable(&self, from: &str, to: &str) {
        self.allowed.lock().insert((from.into(), to.into()));
    }

    /// Whether an unavailable presence may pass. Each permission is valid once.
    pub(super) fn take_unavailable(&self, from: &Jid, to: &Jid) -> bool {
        self.allowed.lock().remove(&(from.as_str().into(), to.as_str().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_address_its_account_and_its_domain() {
        let jid = |jid| Jid::new(jid).unwrap();
        for (item, blocked, free) in [
            ("a@b.c/d", &["a@b.c/d"][..], &["a@b.c", "a@b.c/e", "b.c", "b.c/d"][..]),
            ("a@b.c", &["a@b.c", "a@b.c/d"], &["e@b.c", "b.c", "b.c/d"]),
            ("b.c/d", &["b.c/d"], &["b.c", "b.c/e", "a@b.c", "a@b.c/d"]),
            ("b.c", &["b.c", "b.c/d", "a@b.c", "a@b.c/d"], &["x.b.c", "a@x.b.c", "c"]),
        ] {
            let mut list = Blocklist::default();
            list.insert(&jid(item));
            for other in blocked {
                assert!(list.blocks(&jid(other)), "{item} {other}");
            }
            for other in free {
                assert!(!list.blocks(&jid(other)), "{item} {other}");
            }
            assert!(Blocklist::read(&list.write()).blocks(&jid(item)));
            list.remove(&jid(item));
            assert!(!list.blocks(&jid(item)));
        }
    }
}
