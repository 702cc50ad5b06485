//! Accounts. Passwords are stored only as SCRAM keys, for each of the hashes.
//!
//! An unknown account cannot be told from a wrong password by the answer, the salt or the time.

mod error;
mod import;
pub mod keys;
mod record;
mod service;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_core::services::{ScramHash, ScramKeys};
use jid::{BareJid, NodePart};
use tokio::sync::Semaphore;

use crate::storage::{Partition, Schema, Storage, StorageError, Write};

pub use error::{AccountStoreError, PasswordError};
pub use import::{ImportProblem, ImportReport};
pub use service::HostAccounts;

/// The store that holds accounts; an owner is the name in front of the `@`, and the only key is
/// empty.
pub const ACCOUNTS: Schema = Schema { store: "accounts", version: 1, migrations: &[] };
const KEY: &str = "";

/// The store of the secret that salts of unknown accounts are derived from. Its host is empty, so
/// that it cannot conflict with a host's stores.
const SERVER: Schema = Schema { store: "server", version: 1, migrations: &[] };
const SECRET: (Partition<'_>, &str) = (Partition::new("", SERVER.store, ""), "scram-secret");

/// The hash for checking PLAIN: with the processor's instructions it is the cheapest.
const CHECKED_HASH: ScramHash = ScramHash::Sha256;

/// The accounts of all hosts.
#[derive(Clone)]
pub struct AccountStore {
    storage: Arc<dyn Storage>,
    iterations: u32,
    secret: Arc<[u8; 32]>,
    /// Bounds how many passwords are hashed at once. Each takes milliseconds, and many logins must
    /// not occupy all threads.
    checks: Arc<Semaphore>,
    removals: Arc<AtomicU64>,
}

impl AccountStore {
    /// Accounts in a storage; new passwords are hashed `iterations` times, and `checks` passwords
    /// are hashed at the same time.
    ///
    /// # Errors
    ///
    /// Storage fails, or the system has no random numbers.
    pub async fn open(
        storage: Arc<dyn Storage>,
        iterations: u32,
        checks: usize,
    ) -> Result<Self, AccountStoreError> {
        storage.open(&ACCOUNTS).await?;
        storage.open(&SERVER).await?;
        let secret = Arc::new(server_secret(&*storage).await?);
        let checks = Arc::new(Semaphore::new(checks.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self { storage, iterations, secret, checks, removals: Arc::default() })
    }

    /// Makes an account.
    ///
    /// # Errors
    ///
    /// [`AccountStoreError::Exists`], or the password is refused, or storage fails.
    pub async fn create(&self, jid: &BareJid, password: &str) -> Result<(), AccountStoreError> {
        let partition = partition(jid)?;
        let record = self.hash(password).await?;
        match self.storage.write(vec![Write::create(partition, KEY, record)]).await {
            Ok(_) => Ok(()),
            Err(StorageError::Exists(_)) => Err(AccountStoreError::Exists(jid.clone())),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes the password of an account.
    ///
    /// # Errors
    ///
    /// [`AccountStoreError::NotFound`], or the password is refused, or storage fails.
    pub async fn set_password(
        &self,
        jid: &BareJid,
        password: &str,
    ) -> Result<(), AccountStoreError> {
        let partition = partition(jid)?;
        let record = self.hash(password).await?;
        self.change(jid, vec![Write::require(partition, KEY), Write::set(partition, KEY, record)])
            .await
    }

    /// Removes an account with everything that is kept under its name, in one transaction.
    ///
    /// # Errors
    ///
    /// [`AccountStoreError::NotFound`] (nothing is written then), or storage fails.
    pub async fn remove(&self, jid: &BareJid) -> Result<(), AccountStoreError> {
        let Partition { host, owner, .. } = partition(jid)?;
        let batch = vec![Write::require(partition(jid)?, KEY), Write::purge(host, owner)];
        let removed = self.change(jid, batch).await;
        // Also after an error: a database that fails at the commit may have removed it.
        self.removals.fetch_add(1, Ordering::SeqCst);
        removed
    }

    /// How many accounts may have been removed since the start.
    pub fn removals(&self) -> u64 {
        self.removals.load(Ordering::SeqCst)
    }

    /// Writes a batch that begins with `Write::require` for the account.
    async fn change(&self, jid: &BareJid, batch: Vec<Write>) -> Result<(), AccountStoreError> {
        match self.storage.write(batch).await {
            Ok(_) => Ok(()),
            Err(StorageError::NotFound(_)) => Err(AccountStoreError::NotFound(jid.clone())),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether an account exists.
    ///
    /// # Errors
    ///
    /// Storage fails.
    pub async fn exists(&self, jid: &BareJid) -> Result<bool, AccountStoreError> {
        let Ok(partition) = partition(jid) else {
            return Ok(false);
        };
        Ok(self.storage.get(partition, KEY).await?.is_some())
    }

    /// The names of a host's accounts, in order.
    ///
    /// # Errors
    ///
    /// Storage fails.
    pub async fn list(&self, host: &str) -> Result<Vec<String>, AccountStoreError> {
        const PAGE: u32 = 1000;
        let mut names: Vec<String> = Vec::new();
        loop {
            let after = names.last().map(String::as_str);
            let page = self.storage.owners(host, ACCOUNTS.store, after, PAGE).await?;
            if page.is_empty() {
                return Ok(names);
            }
            names.extend(page);
        }
    }

    /// The keys to run SCRAM with. An account that does not exist has made-up keys: always the same
    /// for a name, and matching no password.
    ///
    /// # Errors
    ///
    /// Storage fails.
    pub async fn credentials(
        &self,
        host: &str,
        username: &str,
        hash: ScramHash,
    ) -> Result<ScramKeys, AccountStoreError> {
        let name = NodePart::new(username).ok();
        let name = name.as_ref().map_or(username, |name| name.as_str());
        let stored = self.storage.get(Partition::new(host, ACCOUNTS.store, name), KEY).await?;
        let keys = stored.and_then(|value| record::find(&value, hash));
        Ok(keys
            .unwrap_or_else(|| record::made_up(&*self.secret, host, name, hash, self.iterations)))
    }

    /// Whether a password in plain text is the account's. Hashes also when there is no such
    /// account.
    ///
    /// # Errors
    ///
    /// Storage fails.
    pub async fn verify(
        &self,
        host: &str,
        username: &str,
        password: &str,
    ) -> Result<bool, AccountStoreError> {
        let keys = self.credentials(host, username, CHECKED_HASH).await?;
        let Ok(password) = record::prepare(password) else {
            return Ok(false);
        };
        self.busy(move || keys::matches(&keys, password.as_bytes())).await
    }

    /// The stored form of a password.
    async fn hash(&self, password: &str) -> Result<Vec<u8>, AccountStoreError> {
        let password = record::prepare(password)?;
        let iterations = self.iterations;
        self.busy(move || record::make(&password, iterations)).await?
    }

    async fn busy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountStoreError> {
        // The permit moves into the work, so that it is held when the caller stops waiting.
        let permit = Arc::clone(&self.checks).acquire_owned().await;
        let permit = permit.map_err(|_| AccountStoreError::Task)?;
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        work.await.map_err(|_| AccountStoreError::Task)
    }
}

impl fmt::Debug for AccountStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountStore").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

fn name(jid: &BareJid) -> Result<&str, AccountStoreError> {
    jid.node().map(|name| name.as_str()).ok_or_else(|| AccountStoreError::NoName(jid.clone()))
}

/// The partition of an account.
fn partition(jid: &BareJid) -> Result<Partition<'_>, AccountStoreError> {
    Ok(Partition::new(jid.domain().as_str(), ACCOUNTS.store, name(jid)?))
}

/// Reads the server's secret, making it first where there is none.
async fn server_secret(storage: &dyn Storage) -> Result<[u8; 32], AccountStoreError> {
    let (partition, key) = SECRET;
    loop {
        let stored = storage.get(partition, key).await?;
        if let Some(secret) = stored.and_then(|secret| secret.try_into().ok()) {
            return Ok(secret);
        }
        let secret: [u8; 32] = record::random()?;
        match storage.write(vec![Write::create(partition, key, secret.to_vec())]).await {
            Ok(_) => return Ok(secret),
            // Another process was faster, or the stored secret has the wrong length.
            Err(StorageError::Exists(_)) => {
                let length = storage.get(partition, key).await?.map_or(0, |secret| secret.len());
                if length != secret.len() {
                    storage.write(vec![Write::delete(partition, key)]).await?;
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}
