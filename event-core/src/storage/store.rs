//! A module's store on a host.

use std::sync::Arc;

use super::{Archived, Entry, Page, Partition, Storage, StorageResult, Write};
use crate::util::{clock::Clock, cost};

/// One store of one host, for a module. Cheap to clone.
///
/// `owner` is the username for data of an account, which is deleted with the account, and empty for
/// data of the host.
///
/// # Errors
///
/// All calls fail when the database fails. Each method lists its other errors.
#[derive(Debug, Clone)]
pub struct Store {
    storage: Arc<dyn Storage>,
    host: Arc<str>,
    store: &'static str,
    clock: Clock,
}

impl Store {
    /// The number of entries that [`Store::all`] reads at once.
    const CHUNK: u32 = 1000;

    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        host: &str,
        store: &'static str,
        clock: Clock,
    ) -> Self {
        Self { storage, host: host.into(), store, clock }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// See [`Store`].
    pub async fn get(&self, owner: &str, key: &str) -> StorageResult<Option<Vec<u8>>> {
        let value = self.storage.get(self.partition(owner), key).await?;
        cost::add_read(value.as_ref().map_or(0, Vec::len));
        Ok(value)
    }

    /// Sets a value. An existing value is replaced.
    ///
    /// # Errors
    /// [`StorageError::Name`](super::StorageError::Name).
    pub async fn set(&self, owner: &str, key: &str, value: Vec<u8>) -> StorageResult<()> {
        self.write(self.to_set(owner, key, value)).await.map(drop)
    }

    /// Sets a value that must not exist yet.
    ///
    /// # Errors
    /// [`StorageError::Exists`](super::StorageError::Exists),
    /// [`StorageError::Name`](super::StorageError::Name).
    pub async fn create(&self, owner: &str, key: &str, value: Vec<u8>) -> StorageResult<()> {
        self.write(self.to_create(owner, key, value)).await.map(drop)
    }

    /// Deletes a value. Returns whether the value existed.
    ///
    /// # Errors
    /// [`StorageError::Name`](super::StorageError::Name).
    pub async fn delete(&self, owner: &str, key: &str) -> StorageResult<bool> {
        self.write(self.to_delete(owner, key)).await
    }

    /// Up to `limit` entries, in the order of the keys' bytes, beginning after the key `after`.
    ///
    /// # Errors
    /// See [`Store`].
    pub async fn list(
        &self,
        owner: &str,
        after: Option<&str>,
        limit: u32,
    ) -> StorageResult<Vec<Entry>> {
        let entries = self.storage.list(self.partition(owner), after, limit).await?;
        cost::add_read(entries.iter().map(|entry| entry.value.len()).sum());
        Ok(entries)
    }

    /// The keys of [`Store::list`], without reading the values.
    ///
    /// # Errors
    /// See [`Store`].
    pub async fn keys(
        &self,
        owner: &str,
        after: Option<&str>,
        limit: u32,
    ) -> StorageResult<Vec<String>> {
        let keys = self.storage.keys(self.partition(owner), after, limit).await?;
        cost::add_read(keys.iter().map(String::len).sum());
        Ok(keys)
    }

    /// All entries of an owner, in the order of the keys' bytes. Use this method only for data
    /// whose size the module limits.
    ///
    /// # Errors
    /// See [`Store`].
    pub async fn all(&self, owner: &str) -> StorageResult<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map(|entry| entry.key.as_str());
            let chunk = self.list(owner, after, Self::CHUNK).await?;
            let is_last = chunk.len() < Self::CHUNK as usize;
            entries.extend(chunk);
            if is_last {
                return Ok(entries);
            }
        }
    }

    /// Up to `limit` owners with data in this store, in the order of their bytes, beginning after
    /// `after`.
    ///
    /// # Errors
    /// See [`Store`].
    pub async fn owners(&self, after: Option<&str>, limit: u32) -> StorageResult<Vec<String>> {
        self.storage.owners(&self.host, self.store, after, limit).await
    }

    /// Appends a value to an owner's archive, which may have at most `limit` values.
    ///
    /// # Errors
    /// [`StorageError::Full`](super::StorageError::Full),
    /// [`StorageError::Name`](super::StorageError::Name).
    pub async fn append(
        &self,
        owner: &str,
        value: Vec<u8>,
        limit: Option<u64>,
    ) -> StorageResult<()> {
        self.write(self.to_append(owner, value, limit)).await.map(drop)
    }

    /// A part of an owner's archive.
    ///
    /// # Errors
    /// See [`Store`].
    pub async fn page(&self, owner: &str, page: Page) -> StorageResult<Vec<Archived>> {
        let values = self.storage.page(self.partition(owner), page).await?;
        cost::add_read(values.iter().map(|archived| archived.value.len()).sum());
        Ok(values)
    }

    /// The number of values in an owner's archive.
    ///
    /// # Errors
    /// See [`Store`].
    pub async fn count(&self, owner: &str) -> StorageResult<u64> {
        cost::add_read(0);
        self.storage.count(self.partition(owner)).await
    }

    /// Makes the write of [`Store::set`], for
    /// [`HostContext::transact`](crate::HostContext::transact).
    pub fn to_set(&self, owner: &str, key: &str, value: Vec<u8>) -> Write {
        Write::set(self.partition(owner), key, value)
    }

    /// Makes the write of [`Store::create`], for
    /// [`HostContext::transact`](crate::HostContext::transact).
    pub fn to_create(&self, owner: &str, key: &str, value: Vec<u8>) -> Write {
        Write::create(self.partition(owner), key, value)
    }

    /// Makes a write for [`HostContext::transact`](crate::HostContext::transact) that changes
    /// nothing, and that fails with [`StorageError::NotFound`](super::StorageError::NotFound)
    /// unless the value exists.
    pub fn to_require(&self, owner: &str, key: &str) -> Write {
        Write::require(self.partition(owner), key)
    }

    /// Makes the write of [`Store::delete`], for
    /// [`HostContext::transact`](crate::HostContext::transact).
    pub fn to_delete(&self, owner: &str, key: &str) -> Write {
        Write::delete(self.partition(owner), key)
    }

    /// Makes the write of [`Store::append`], for
    /// [`HostContext::transact`](crate::HostContext::transact).
    pub fn to_append(&self, owner: &str, value: Vec<u8>, limit: Option<u64>) -> Write {
        Write::append(self.partition(owner), self.clock.now(), value, limit)
    }

    /// Makes a write that deletes the values of an owner's archive up to and including `id`, for
    /// [`HostContext::transact`](crate::HostContext::transact).
    pub fn to_delete_up_to(&self, owner: &str, id: i64) -> Write {
        Write::delete_up_to(self.partition(owner), id)
    }

    fn partition<'a>(&'a self, owner: &'a str) -> Partition<'a> {
        Partition::new(&self.host, self.store, owner)
    }

    async fn write(&self, write: Write) -> StorageResult<bool> {
        cost::add_writes(1, write.size());
        self.storage.write(vec![write]).await
    }
}
