//! Storage of the data that must survive a restart.
//!
//! A *store* belongs to one module and one host. In a store, each *owner* (a username, or the empty
//! string for the host itself) has a map of keys to values and an archive of values in the order of
//! their arrival. Storage does not interpret the values. A module gets its [`Store`] from its host:
//!
//! ```
//! use event_core::{prelude::*, storage::{Schema, Store}};
//!
//! /// Keeps notes.
//! #[module(state = Notes)]
//! struct Notebook {}
//!
//! const SCHEMA: Schema = Schema { store: "notebook", version: 1, migrations: &[] };
//!
//! struct Notes(Store);
//!
//! impl ModuleState<Notebook> for Notes {
//!     async fn start(host: &HostContext, _: &Notebook) -> Result<Self, StartError> {
//!         Ok(Self(host.store(&SCHEMA).await?))
//!     }
//! }
//! ```

mod error;
mod memory;
mod partition;
mod schema;
mod stats;
mod store;
mod write;

use std::time::SystemTime;

pub use self::{
    error::{StorageError, StorageResult},
    memory::Memory,
    partition::Partition,
    schema::{Migration, Row, Schema},
    stats::{Meter, StorageStats},
    store::Store,
    write::{Archive, Name, Write},
};
use crate::util::future::BoxFuture;

/// Storage for all stores of all hosts.
///
/// Acknowledged writes survive a crash of the process and of the machine. Owners and keys are
/// ordered by their bytes. Names have limits, see [`Partition::is_sound`].
///
/// # Cancel safety
///
/// If the future of [`Storage::write`] is dropped, the batch may still be written as a whole.
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// Opens a store: migrates data of an older schema in one transaction, and refuses data of a
    /// newer schema. Opening a store again does nothing.
    fn open<'a>(&'a self, schema: &'a Schema) -> BoxFuture<'a, StorageResult<()>>;

    /// The value of a key.
    fn get<'a>(
        &'a self,
        partition: Partition<'a>,
        key: &'a str,
    ) -> BoxFuture<'a, StorageResult<Option<Vec<u8>>>>;

    /// Up to `limit` entries in order, beginning after the key `after`.
    fn list<'a>(
        &'a self,
        partition: Partition<'a>,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<Entry>>>;

    /// The keys of [`Storage::list`], without reading the values.
    fn keys<'a>(
        &'a self,
        partition: Partition<'a>,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<String>>>;

    /// Up to `limit` owners with data in a store, in order, beginning after `after`.
    fn owners<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<String>>>;

    /// A part of an archive.
    fn page<'a>(
        &'a self,
        partition: Partition<'a>,
        page: Page,
    ) -> BoxFuture<'a, StorageResult<Vec<Archived>>>;

    /// The number of values in an archive.
    fn count<'a>(&'a self, partition: Partition<'a>) -> BoxFuture<'a, StorageResult<u64>>;

    /// Applies all writes in one transaction, or none. Returns whether any write deleted data.
    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, StorageResult<bool>>;

    /// The counters of this storage.
    fn stats(&self) -> StorageStats {
        StorageStats::default()
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

/// A value in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The position in the archive: greater than that of all earlier values, and never reused.
    pub id: i64,
    /// The time when the value was appended, with a resolution of microseconds or worse.
    pub at: SystemTime,
    /// The value.
    pub value: Vec<u8>,
}

/// Selects a part of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Selects only values after this id.
    pub after: Option<i64>,
    /// Selects only values before this id.
    pub before: Option<i64>,
    /// The maximum number of values.
    pub limit: u32,
    /// Whether the newest values are selected, from new to old. If not, the oldest are selected,
    /// from old to new.
    pub newest_first: bool,
}

impl Page {
    /// Selects the oldest values, from old to new.
    pub const fn oldest(limit: u32) -> Self {
        Self { after: None, before: None, limit, newest_first: false }
    }

    /// Selects the newest values, from new to old.
    pub const fn newest(limit: u32) -> Self {
        Self { after: None, before: None, limit, newest_first: true }
    }
}
