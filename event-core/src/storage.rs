//! Storage as modules see it. The server keeps it in a database, the test harness in memory.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, PoisonError},
};

use crate::dispatch::BoxFuture;

/// Storage failed; the message is for the operator's log, not for the other side.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct StorageError {
    context: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StorageError {
    /// An error with what was being done and what the database said.
    pub fn new(
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self { context: format!("{}: {source}", context.into()), source: Some(source) }
    }
}

/// One change of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The host.
    pub host: Box<str>,
    /// The store, named after the module that owns it.
    pub store: Box<str>,
    /// The key, often a username.
    pub key: Box<str>,
    /// The value; `None` deletes.
    pub value: Option<Vec<u8>>,
}

/// Values by host, store and key.
pub trait KeyValue: Send + Sync + std::fmt::Debug {
    /// Reads a value.
    fn get<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StorageError>>;

    /// The keys of a store in order, at most `limit`, from the one after `after` on.
    fn list<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StorageError>>;

    /// Makes all changes, or none, in one transaction. When it returns, they are on disk.
    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, Result<(), StorageError>>;

    /// Adds a value unless the key is there; says whether it was added.
    fn insert(&self, write: Write) -> BoxFuture<'_, Result<bool, StorageError>>;
}

/// A store in memory, for tests.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Map>);

/// Values by host, store and key.
type Map = BTreeMap<(Box<str>, Box<str>, Box<str>), Vec<u8>>;

impl Memory {
    fn with<T>(&self, work: impl FnOnce(&mut Map) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyValue for Memory {
    fn get<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StorageError>> {
        let value = self.with(|map| map.get(&(host.into(), store.into(), key.into())).cloned());
        Box::pin(async { Ok(value) })
    }

    fn list<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StorageError>> {
        let first = after.unwrap_or_default();
        let from = Bound::Excluded((host.into(), store.into(), first.into()));
        let keys = self.with(|map| {
            map.range((from, Bound::Unbounded))
                .map(|((h, s, key), _)| (h, s, key))
                .take_while(|(h, s, _)| ***h == *host && ***s == *store)
                .map(|(_, _, key)| String::from(&**key))
                .take(limit)
                .collect()
        });
        Box::pin(async { Ok(keys) })
    }

    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, Result<(), StorageError>> {
        self.with(|map| {
            for Write { host, store, key, value } in batch {
                match value {
                    Some(value) => map.insert((host, store, key), value),
                    None => map.remove(&(host, store, key)),
                };
            }
        });
        Box::pin(async { Ok(()) })
    }

    fn insert(&self, write: Write) -> BoxFuture<'_, Result<bool, StorageError>> {
        let Write { host, store, key, value } = write;
        let added = self.with(|map| match map.entry((host, store, key)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(value.unwrap_or_default());
                true
            }
            std::collections::btree_map::Entry::Occupied(_) => false,
        });
        Box::pin(async move { Ok(added) })
    }
}
