//! A storage for trying a start: stores are opened as those of the database would be, and the
//! database stays as it is.

use parking_lot::Mutex;
use sqlx::AnyPool;

use super::{
    Archived, BoxFuture, Database, Entry, Memory, Page, Partition, Schema, Storage, StorageError,
    StorageResult, Write, versions,
};
use crate::config::Config;

/// Nothing is read from the database but the versions of stores, and rows to be migrated. What is
/// written is kept in memory.
#[derive(Debug, Default)]
pub(crate) struct Rehearsal {
    memory: Memory,
    database: Option<AnyPool>,
    /// The stores that a start could not open.
    refused: Mutex<Vec<StorageError>>,
}

impl Rehearsal {
    /// # Errors
    ///
    /// The database exists but cannot be used.
    pub(crate) async fn open(config: &Config) -> StorageResult<Self> {
        Ok(Self { database: Database::look_into(config).await?, ..Self::default() })
    }

    /// Closes the database, and returns why stores could not be opened.
    pub(crate) async fn close(&self) -> Vec<StorageError> {
        if let Some(pool) = &self.database {
            pool.close().await;
        }
        std::mem::take(&mut self.refused.lock())
    }
}

impl Storage for Rehearsal {
    /// Succeeds also where the start would fail, so that other modules are tried, too.
    fn open<'a>(&'a self, schema: &'a Schema) -> BoxFuture<'a, StorageResult<()>> {
        Box::pin(async move {
            if let Some(pool) = &self.database
                && let Err(error) = versions::rehearse(pool, schema).await
            {
                self.refused.lock().push(error);
            }
            self.memory.open(schema).await
        })
    }

    fn get<'a>(
        &'a self,
        partition: Partition<'a>,
        key: &'a str,
    ) -> BoxFuture<'a, StorageResult<Option<Vec<u8>>>> {
        self.memory.get(partition, key)
    }

    fn list<'a>(
        &'a self,
        partition: Partition<'a>,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<Entry>>> {
        self.memory.list(partition, after, limit)
    }

    fn owners<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<String>>> {
        self.memory.owners(host, store, after, limit)
    }

    fn page<'a>(
        &'a self,
        partition: Partition<'a>,
        page: Page,
    ) -> BoxFuture<'a, StorageResult<Vec<Archived>>> {
        self.memory.page(partition, page)
    }

    fn count<'a>(&'a self, partition: Partition<'a>) -> BoxFuture<'a, StorageResult<u64>> {
        self.memory.count(partition)
    }

    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, StorageResult<bool>> {
        self.memory.write(batch)
    }
}
