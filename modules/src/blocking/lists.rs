//! The lists: in storage, and those in use in memory.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use event_core::{
    Host, ModuleState, StartError,
    jid::Jid,
    storage::{Schema, StorageResult, Store},
};
use tokio::sync::OwnedMutexGuard;

use super::Blocking;
use crate::locks::Locks;

const SCHEMA: Schema = Schema { store: "blocking", version: 1, migrations: &[] };

/// Where an account's list stands: an address a line.
const KEY: &str = "list";

/// Lists in memory; more are read again when they are wanted.
const MAX_CACHED: usize = 10_000;

/// Whom one user has blocked.
#[derive(Clone, Debug, Default)]
pub struct Blocklist(BTreeSet<Box<str>>);

impl Blocklist {
    /// Whether an address is blocked: itself, the account or domain it belongs to (XEP-0191 §5).
    pub fn blocks(&self, jid: &Jid) -> bool {
        self.0.contains(jid.as_str())
            || self.0.contains(jid.to_bare().as_str())
            || self.0.contains(jid.domain().as_str())
    }

    /// The addresses in the order of their bytes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|jid| &**jid)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
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

/// The lists of one host's users. Other modules find it among the host's services.
#[derive(Debug)]
pub struct Blocklists {
    host: Box<str>,
    store: Store,
    locks: Locks,
    cache: RwLock<HashMap<Box<str>, Arc<Blocklist>>>,
    /// The last presence for somebody just blocked, on its way.
    farewells: Mutex<HashSet<(Box<str>, Box<str>)>>,
}

impl ModuleState<Blocking> for Arc<Blocklists> {
    async fn start(host: &Arc<Host>, _: &Blocking) -> Result<Self, StartError> {
        let lists = Self::new(Blocklists {
            host: host.name().into(),
            store: host.store(&SCHEMA).await?,
            locks: Locks::default(),
            cache: RwLock::default(),
            farewells: Mutex::default(),
        });
        host.provide(Self::clone(&lists));
        Ok(lists)
    }
}

impl Blocklists {
    /// Whether a user of this host has blocked somebody. Nobody blocks the own account, nor the
    /// host that serves it.
    ///
    /// # Errors
    /// The storage failed.
    pub async fn blocks(&self, user: &Jid, other: &Jid) -> StorageResult<bool> {
        let Some(username) = user.node() else { return Ok(false) };
        let list = self.of(username.as_str()).await?;
        if list.0.is_empty() {
            return Ok(false);
        }
        let is_host = other.node().is_none() && other.domain().as_str() == &*self.host;
        let is_own = user.node() == other.node() && user.domain() == other.domain();
        Ok(!is_host && !is_own && list.blocks(other))
    }

    /// A user's list.
    ///
    /// # Errors
    /// The storage failed.
    pub async fn of(&self, username: &str) -> StorageResult<Arc<Blocklist>> {
        match self.cached(username) {
            Some(list) => Ok(list),
            None => self.of_locked(username, &self.lock(username).await).await,
        }
    }

    pub(super) async fn lock(&self, username: &str) -> OwnedMutexGuard<()> {
        self.locks.lock(username).await
    }

    /// The list, which does not change while the lock is held.
    pub(super) async fn of_locked(
        &self,
        username: &str,
        _lock: &OwnedMutexGuard<()>,
    ) -> StorageResult<Arc<Blocklist>> {
        if let Some(list) = self.cached(username) {
            return Ok(list);
        }
        let value = self.store.get(username, KEY).await?;
        Ok(self.cache(username, value.as_deref().map(Blocklist::read).unwrap_or_default()))
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
        self.cache(username, list);
        Ok(())
    }

    /// The account is about to be deleted, and its list with it.
    pub(super) async fn forget(&self, username: &str) {
        let _lock = self.lock(username).await;
        self.cache(username, Blocklist::default());
    }

    fn cached(&self, username: &str) -> Option<Arc<Blocklist>> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner).get(username).cloned()
    }

    fn cache(&self, username: &str, list: Blocklist) -> Arc<Blocklist> {
        let list = Arc::new(list);
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.insert(username.into(), Arc::clone(&list));
        list
    }

    /// Lets one presence pass to whom the user has just blocked.
    pub(super) fn farewell(&self, from: &str, to: &str) {
        let mut farewells = self.farewells.lock().unwrap_or_else(PoisonError::into_inner);
        farewells.insert((from.into(), to.into()));
    }

    /// Whether a presence is the one that may pass; it is only once.
    pub(super) fn is_farewell(&self, from: &Jid, to: &Jid) -> bool {
        let mut farewells = self.farewells.lock().unwrap_or_else(PoisonError::into_inner);
        farewells.remove(&(from.as_str().into(), to.as_str().into()))
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
