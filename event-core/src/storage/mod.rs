//! Where everything that must survive a restart is kept: values by host, store and key.
//!
//! A store belongs to one module; nothing here knows what the values mean.

mod memory;

use std::error::Error;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use self::memory::Memory;
use crate::BoxFuture;

/// What a storage call gives.
pub type StorageResult<T> = Result<T, StorageError>;

/// Values by host, store and key.
///
/// What a call has acknowledged survives a crash of the process and of the machine. Keys of one
/// store are ordered by their bytes.
///
/// # Cancel safety
///
/// A write whose future is dropped may still happen, whole or not at all.
pub trait KeyValue: Send + Sync + std::fmt::Debug {
    /// The value of a key.
    fn get<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, StorageResult<Option<Vec<u8>>>>;

    /// Up to `limit` entries in order, beginning behind the key `after`.
    fn list<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<Entry>>>;

    /// All of the writes in one transaction, or none. Says whether a [`Write::Delete`] among them
    /// found its key.
    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, StorageResult<bool>>;

    /// Sets one value.
    fn set<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        key: &'a str,
        value: Vec<u8>,
    ) -> BoxFuture<'a, StorageResult<()>> {
        let batch = vec![Write::set(host, store, key, value)];
        Box::pin(async move { self.write(batch).await.map(drop) })
    }

    /// Deletes one value and says whether it existed.
    fn delete<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, StorageResult<bool>> {
        self.write(vec![Write::delete(host, store, key)])
    }
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Vec<u8>,
}

/// The name of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The host it belongs to.
    pub host: String,
    /// The store within the host.
    pub store: String,
    /// The key within the store.
    pub key: String,
}

/// One change of a transaction. Values are not part of its debug text: they may be keys.
#[derive(Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a value, whether or not there was one.
    Set(Name, Vec<u8>),
    /// Sets a value that must not exist yet; otherwise the transaction fails with
    /// [`StorageError::Exists`].
    Create(Name, Vec<u8>),
    /// Deletes a value, if there is one.
    Delete(Name),
}

impl Write {
    /// See [`Write::Set`].
    pub fn set(host: &str, store: &str, key: &str, value: Vec<u8>) -> Self {
        Self::Set(Name::new(host, store, key), value)
    }

    /// See [`Write::Create`].
    pub fn create(host: &str, store: &str, key: &str, value: Vec<u8>) -> Self {
        Self::Create(Name::new(host, store, key), value)
    }

    /// See [`Write::Delete`].
    pub fn delete(host: &str, store: &str, key: &str) -> Self {
        Self::Delete(Name::new(host, store, key))
    }
}

impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, name) = match self {
            Self::Set(name, _) => ("Set", name),
            Self::Create(name, _) => ("Create", name),
            Self::Delete(name) => ("Delete", name),
        };
        f.debug_tuple(kind).field(name).finish()
    }
}

impl Name {
    /// A name of these parts.
    pub fn new(host: &str, store: &str, key: &str) -> Self {
        Self { host: host.to_owned(), store: store.to_owned(), key: key.to_owned() }
    }
}

/// Why storage failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The data folder or a file in it cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Path {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer server has been here.
    #[error(
        "{} was written by a newer version of Spondee (schema {found}, this one knows {known}); \
         update the server, or use another data folder",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema this server knows.
        known: i64,
    },
    /// A value that was to be created exists.
    #[error("{} exists already in {} of {}", _0.key, _0.store, _0.host)]
    Exists(Name),
    /// Storage has been closed.
    #[error("storage is closed")]
    Closed,
    /// The database failed.
    #[error("the database failed: {0}")]
    Backend(#[source] Box<dyn Error + Send + Sync>),
}
