//! Accounts. Passwords are stored only as SCRAM keys, for each of the hashes.
//!
//! Neither the answer nor the salt nor the time tells whether an account exists.

mod error;
mod generations;
mod import;
pub mod keys;
mod made_up;
mod record;
mod service;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt, sync::Arc};

use event_core::services::{ScramHash, ScramKeys};
use jid::{BareJid, NodePart};
use parking_lot::Mutex;
use tokio::sync::{OnceCell, Semaphore};

use crate::storage::{Partition, Schema, Storage, StorageError, Write};

use generations::Generations;
use made_up::{Shape, Shapes};
use record::{CHECKED_HASH, KEY};

pub use error::{AccountStoreError, PasswordError};
pub use import::{ImportProblem, ImportReport};
pub use record::ACCOUNTS;
pub use service::HostAccounts;

/// The store of the secret from which the salts of unknown accounts are derived. The host is empty,
/// so that the store cannot conflict with a host's stores.
const SERVER: Schema = Schema { store: "server", version: 1, migrations: &[] };
const SECRET: (Partition<'_>, &str) = (Partition::new("", SERVER.store, ""), "scram-secret");

/// The accounts of all hosts.
#[derive(Clone)]
pub struct AccountStore {
    storage: Arc<dyn Storage>,
    iterations: u32,
    secret: Arc<[u8; 32]>,
    /// Bounds the number of passwords that are hashed at once, so that many logins do not occupy
    /// all threads.
    checks: Arc<Semaphore>,
    generations: Arc<Generations>,
    /// The shapes of the accounts of each host, for keys that are made up.
    shapes: Arc<Mutex<HashMap<String, Arc<OnceCell<Shapes>>>>>,
}

impl AccountStore {
    /// Opens the accounts of a storage. New passwords are hashed `iterations` times. At most
    /// `checks` passwords are hashed at the same time.
    ///
    /// # Errors
    ///
    /// Storage fails, or the kernel gives no random numbers.
    pub async fn open(
        storage: Arc<dyn Storage>,
        iterations: u32,
        checks: usize,
    ) -> Result<Self, AccountStoreError> {
        storage.open(&ACCOUNTS).await?;
        storage.open(&SERVER).await?;
        let secret = Arc::new(server_secret(&*storage).await?);
        let checks = Arc::new(Semaphore::new(checks.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self {
            storage,
            iterations,
            secret,
            checks,
            generations: Arc::default(),
            shapes: Arc::default(),
        })
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

    /// Removes an account and everything that is stored for its name, in one transaction.
    ///
    /// # Errors
    ///
    /// [`AccountStoreError::NotFound`] (nothing is written then), or storage fails.
    pub async fn remove(&self, jid: &BareJid) -> Result<(), AccountStoreError> {
        let Partition { host, owner, .. } = partition(jid)?;
        let batch = vec![Write::require(partition(jid)?, KEY), Write::purge(host, owner)];
        self.change(jid, batch).await
    }

    /// A number that changes after each change of the account's password and after its removal.
    pub fn generation(&self, jid: &BareJid) -> u64 {
        self.generations.of(jid)
    }

    /// Writes a batch that begins with `Write::require` for the account, and begins a generation
    /// of the account.
    async fn change(&self, jid: &BareJid, batch: Vec<Write>) -> Result<(), AccountStoreError> {
        let written = self.storage.write(batch).await;
        // After an error too: if only the commit failed, the account may have changed.
        self.generations.begin(jid);
        match written {
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

    /// The keys for SCRAM. If the account does not exist, the keys are made up: they are always the
    /// same for a name until the accounts of the host change, look like those of an account, and
    /// match no password.
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
        // Known and unknown accounts do the same work.
        let shapes = Arc::clone(self.shapes.lock().entry(host.to_owned()).or_default());
        let shapes =
            shapes.get_or_try_init(|| Shapes::sample(&*self.storage, &*self.secret, host)).await?;
        let shape = shapes
            .draw(&*self.secret, host, name)
            .unwrap_or(Shape { iterations: self.iterations, salt_length: record::SALT_LENGTH });
        let made_up = made_up::make(&*self.secret, host, name, hash, shape);
        let stored = self.storage.get(Partition::new(host, ACCOUNTS.store, name), KEY).await?;
        let keys = stored.and_then(|value| record::find(&value, hash));
        Ok(keys.unwrap_or(made_up))
    }

    /// Whether a plain password is the account's. The password is hashed even if the account does
    /// not exist, so that the time is the same.
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
        // The permit moves into the closure, because the caller may stop waiting before the end.
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

/// Reads the server's secret, or makes one.
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
