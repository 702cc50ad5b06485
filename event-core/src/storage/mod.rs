//! Where everything that must survive a restart is kept.
//!
//! A *store* belongs to one module and one host. In it, each *owner* (a username, or the empty
//! text for the host itself) has a map of keys to values and an archive of values in the order of
//! their arrival. Nothing here knows what the values mean. A module asks its host for its
//! [`Store`]:
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
//!     async fn start(host: &Arc<Host>, _: &Notebook) -> Result<Self, StartError> {
//!         Ok(Self(host.store(&SCHEMA).await?))
//!     }
//! }
//! # use std::sync::Arc;
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
use crate::BoxFuture;

/// Storage for all stores of all hosts.
///
/// What a call has acknowledged survives a crash of the process and of the machine. Owners and
/// keys are ordered by their bytes. Names have limits, see [`Partition::is_sound`].
///
/// # Cancel safety
///
/// A write whose future is dropped may still happen, whole or not at all.
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// Prepares a store for the shape of data that its module knows: migrates older data in one
    /// transaction, refuses newer. Opening a store again does nothing.
    fn open<'a>(&'a self, schema: &'a Schema) -> BoxFuture<'a, StorageResult<()>>;

    /// The value of a key.
    fn get<'a>(
        &'a self,
        partition: Partition<'a>,
        key: &'a str,
    ) -> BoxFuture<'a, StorageResult<Option<Vec<u8>>>>;

    /// Up to `limit` entries in order, beginning behind the key `after`.
    fn list<'a>(
        &'a self,
        partition: Partition<'a>,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<Entry>>>;

    /// Up to `limit` owners in order, beginning behind `after`, who have anything in a store.
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

    /// How many values an archive has.
    fn count<'a>(&'a self, partition: Partition<'a>) -> BoxFuture<'a, StorageResult<u64>>;

    /// All of the writes in one transaction, or none. Says whether one among them that deletes
    /// found anything.
    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, StorageResult<bool>>;

    /// What it has done so far.
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
    /// Its place in the order: greater than that of everything that was there before it, and
    /// never used again.
    pub id: i64,
    /// When it was appended, in microseconds at the best.
    pub at: SystemTime,
    /// The value.
    pub value: Vec<u8>,
}

/// Which part of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only what comes behind this id.
    pub after: Option<i64>,
    /// Only what comes in front of this id.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: u32,
    /// The newest first, and of more than `limit` the newest; otherwise the oldest.
    pub newest_first: bool,
}

impl Page {
    /// The oldest values.
    pub const fn oldest(limit: u32) -> Self {
        Self { after: None, before: None, limit, newest_first: false }
    }

    /// The newest values, the newest first.
    pub const fn newest(limit: u32) -> Self {
        Self { after: None, before: None, limit, newest_first: true }
    }
}
