//! Storage in an SQL database: reads are here, writes in [`writer`](super::writer). The statements
//! are the same for all databases; the differences are in [`Dialect`].

use std::collections::HashMap;

use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;

use sqlx::{AnyConnection, AnyPool};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::backend::{Dialect, time_of_micros};
use super::job::Job;
use super::readers::Readers;
use super::writer::{QUEUE, Writer};
use super::{
    Archived, BoxFuture, Entry, Meter, Page, Partition, Schema, Storage, StorageError,
    StorageResult, StorageStats, Write, versions,
};

const GET: &str =
    "SELECT value FROM map WHERE host = $1 AND store = $2 AND owner = $3 AND key = $4";
// With a bare parameter as the limit, SQLite would prepare the statement again for each value.
const LIST: &str = "SELECT key, value FROM map \
    WHERE host = $1 AND store = $2 AND owner = $3 AND key >= $4 \
    ORDER BY key LIMIT CAST($5 AS BIGINT)";
/// Neither database reads the values for this: they are behind the key, or in another table.
const KEYS: &str = "SELECT key FROM map \
    WHERE host = $1 AND store = $2 AND owner = $3 AND key >= $4 \
    ORDER BY key LIMIT CAST($5 AS BIGINT)";
const OWNERS: &str = "SELECT owner FROM (\
    SELECT * FROM (SELECT DISTINCT owner FROM map \
    WHERE host = $1 AND store = $2 AND owner >= $3 ORDER BY owner LIMIT CAST($4 AS BIGINT)) AS a \
    UNION \
    SELECT * FROM (SELECT DISTINCT owner FROM archive \
    WHERE host = $1 AND store = $2 AND owner >= $3 ORDER BY owner LIMIT CAST($4 AS BIGINT)) AS b\
    ) AS c ORDER BY owner LIMIT CAST($4 AS BIGINT)";
const OLDEST: &str = "SELECT id, at, value FROM archive \
    WHERE host = $1 AND store = $2 AND owner = $3 AND id > $4 AND id < $5 \
    ORDER BY id LIMIT CAST($6 AS BIGINT)";
const NEWEST: &str = "SELECT id, at, value FROM archive \
    WHERE host = $1 AND store = $2 AND owner = $3 AND id > $4 AND id < $5 \
    ORDER BY id DESC LIMIT CAST($6 AS BIGINT)";
const COUNT: &str = "SELECT COUNT(*) FROM archive WHERE host = $1 AND store = $2 AND owner = $3";

/// [`Storage`] in an SQL database.
#[derive(Debug)]
pub struct Database {
    readers: Readers,
    writers: AnyPool,
    dialect: &'static Dialect,
    /// The versions of the stores.
    versions: Mutex<HashMap<String, i64>>,
    jobs: mpsc::Sender<Job>,
    writer: JoinHandle<()>,
    meter: Arc<Meter>,
}

impl Database {
    /// Starts the writer. `writers` has one connection. Messages show `name`, so it has no secret.
    pub(super) async fn start(
        dialect: &'static Dialect,
        readers: Readers,
        writers: AnyPool,
        name: String,
    ) -> StorageResult<Self> {
        let versions = Mutex::new(versions::prepare(&writers, dialect, name).await?);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let writer = Writer { pool: writers.clone(), dialect };
        let writer = tokio::spawn(writer.run(queue));
        let meter = Arc::default();
        Ok(Self { readers, writers, dialect, versions, jobs, writer, meter })
    }

    /// Writes the waiting batches and closes the connections.
    pub async fn close(self) {
        let Self { readers, writers, jobs, writer, .. } = self;
        readers.close().await;
        drop(jobs);
        if let Err(error) = writer.await {
            tracing::error!(%error, "the database writer failed");
        }
        writers.close().await;
    }

    /// The connection that writes.
    #[cfg(test)]
    pub(crate) async fn writing_connection(&self) -> sqlx::pool::PoolConnection<sqlx::Any> {
        self.writers.acquire().await.unwrap()
    }

    async fn read<T>(
        &self,
        read: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, sqlx::Error>,
    ) -> StorageResult<T> {
        self.meter.read(self.readers.read(read)).await
    }

    fn versions(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.versions.lock()
    }
}

impl Storage for Database {
    fn open<'a>(&'a self, schema: &'a Schema) -> BoxFuture<'a, StorageResult<()>> {
        Box::pin(async move {
            let version = i64::from(schema.version);
            let known = self.versions().get(schema.store).copied();
            if known == Some(version) {
                return schema.missing(known).map(drop);
            }
            versions::open(&self.writers, self.dialect, schema).await?;
            self.versions().insert(schema.store.to_owned(), version);
            Ok(())
        })
    }

    fn get<'a>(
        &'a self,
        partition: Partition<'a>,
        key: &'a str,
    ) -> BoxFuture<'a, StorageResult<Option<Vec<u8>>>> {
        Box::pin(async move {
            if !partition.is_sound(key) {
                return Ok(None);
            }
            self.read(async |connection| {
                sqlx::query_scalar(GET)
                    .bind(partition.host)
                    .bind(partition.store)
                    .bind(partition.owner)
                    .bind(key)
                    .fetch_optional(&mut *connection)
                    .await
            })
            .await
        })
    }

    fn list<'a>(
        &'a self,
        partition: Partition<'a>,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<Entry>>> {
        Box::pin(async move {
            if !partition.is_sound(after.unwrap_or_default()) {
                return Ok(Vec::new());
            }
            let rows: Vec<(String, Vec<u8>)> = self
                .read(async |connection| {
                    sqlx::query_as(LIST)
                        .bind(partition.host)
                        .bind(partition.store)
                        .bind(partition.owner)
                        .bind(behind(after))
                        .bind(i64::from(limit))
                        .fetch_all(&mut *connection)
                        .await
                })
                .await?;
            Ok(rows.into_iter().map(|(key, value)| Entry { key, value }).collect())
        })
    }

    fn keys<'a>(
        &'a self,
        partition: Partition<'a>,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<String>>> {
        Box::pin(async move {
            if !partition.is_sound(after.unwrap_or_default()) {
                return Ok(Vec::new());
            }
            self.read(async |connection| {
                sqlx::query_scalar(KEYS)
                    .bind(partition.host)
                    .bind(partition.store)
                    .bind(partition.owner)
                    .bind(behind(after))
                    .bind(i64::from(limit))
                    .fetch_all(&mut *connection)
                    .await
            })
            .await
        })
    }

    fn owners<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<String>>> {
        Box::pin(async move {
            if !Partition::new(host, store, after.unwrap_or_default()).is_sound("") {
                return Ok(Vec::new());
            }
            self.read(async |connection| {
                sqlx::query_scalar(OWNERS)
                    .bind(host)
                    .bind(store)
                    .bind(behind(after))
                    .bind(i64::from(limit))
                    .fetch_all(&mut *connection)
                    .await
            })
            .await
        })
    }

    fn page<'a>(
        &'a self,
        partition: Partition<'a>,
        page: Page,
    ) -> BoxFuture<'a, StorageResult<Vec<Archived>>> {
        Box::pin(async move {
            if !partition.is_sound("") {
                return Ok(Vec::new());
            }
            let rows: Vec<(i64, i64, Vec<u8>)> = self
                .read(async |connection| {
                    sqlx::query_as(if page.newest_first { NEWEST } else { OLDEST })
                        .bind(partition.host)
                        .bind(partition.store)
                        .bind(partition.owner)
                        .bind(page.after.unwrap_or(i64::MIN))
                        .bind(page.before.unwrap_or(i64::MAX))
                        .bind(i64::from(page.limit))
                        .fetch_all(&mut *connection)
                        .await
                })
                .await?;
            let archived = |(id, micros, value)| Archived { id, at: time_of_micros(micros), value };
            Ok(rows.into_iter().map(archived).collect())
        })
    }

    fn count<'a>(&'a self, partition: Partition<'a>) -> BoxFuture<'a, StorageResult<u64>> {
        Box::pin(async move {
            if !partition.is_sound("") {
                return Ok(0);
            }
            let count: i64 = self
                .read(async |connection| {
                    sqlx::query_scalar(COUNT)
                        .bind(partition.host)
                        .bind(partition.store)
                        .bind(partition.owner)
                        .fetch_one(&mut *connection)
                        .await
                })
                .await?;
            Ok(count.unsigned_abs())
        })
    }

    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, StorageResult<bool>> {
        Box::pin(self.meter.write(async {
            if !batch.iter().all(Write::is_sound) {
                return Err(StorageError::Name);
            }
            let (done, outcome) = oneshot::channel();
            self.jobs.send(Job::new(batch, done)).await.map_err(|_| StorageError::Closed)?;
            outcome.await.map_err(|_| StorageError::Closed)?
        }))
    }

    fn stats(&self) -> StorageStats {
        self.meter.stats()
    }
}

/// The smallest key greater than `after`, because keys contain no NUL. With `>=`, the query is a
/// plain scan of an index range.
fn behind(after: Option<&str>) -> String {
    after.map(|after| format!("{after}\u{1}")).unwrap_or_default()
}
