//! Writes to the database.
//!
//! One task with one connection executes all writes. It puts all waiting batches into one
//! transaction, because each commit waits for the disk: many small writes cost as much as one. A
//! savepoint keeps each batch atomic, and a batch is acknowledged only after the commit.

use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::sync::mpsc;

use super::backend::{Dialect, TIMEOUT, acquire, backend, micros};
use super::{Archive, Name, StorageError, StorageResult, Write};
use super::{fair::Waiting, job::Job};

/// The number of batches that may wait to be grouped; as many wait in the channel. Beyond that,
/// callers wait.
pub(super) const QUEUE: usize = 512;

/// The maximum number of batches in one transaction. It bounds the wait of the first batch.
const GROUP: usize = 256;

/// The bytes of values after which a transaction gets no more batches.
const GROUP_BYTES: usize = 1024 * 1024;

const SET: &str = "INSERT INTO map (host, store, owner, key, value) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (host, store, owner, key) DO UPDATE SET value = excluded.value";
const CREATE: &str = "INSERT INTO map (host, store, owner, key, value) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const EXISTS: &str = "SELECT key FROM map \
    WHERE host = $1 AND store = $2 AND owner = $3 AND key = $4";
const DELETE: &str = "DELETE FROM map WHERE host = $1 AND store = $2 AND owner = $3 AND key = $4";
/// Stops counting at the limit.
const COUNT: &str = "SELECT COUNT(*) FROM (SELECT id FROM archive \
    WHERE host = $1 AND store = $2 AND owner = $3 \
    LIMIT CAST($4 AS BIGINT)) AS few";
const APPEND: &str =
    "INSERT INTO archive (host, store, owner, at, value) VALUES ($1, $2, $3, $4, $5)";
const DELETE_UP_TO: &str =
    "DELETE FROM archive WHERE host = $1 AND store = $2 AND owner = $3 AND id <= $4";
/// A purge goes store by store, because the indexes are ordered by store.
const STORES: &str = "SELECT store FROM stores";
const PURGE: [&str; 2] = [
    "DELETE FROM map WHERE host = $1 AND store = $2 AND owner = $3",
    "DELETE FROM archive WHERE host = $1 AND store = $2 AND owner = $3",
];

/// The task that writes.
pub(super) struct Writer {
    /// A pool of one connection.
    pub(super) pool: AnyPool,
    pub(super) dialect: &'static Dialect,
}

/// Why a group was not written.
enum Failed {
    /// The connection broke before the commit. The group can be tried again on another connection.
    Before(StorageError),
    /// There is no connection, or the connection stalled or broke at the commit. The group may have
    /// been written.
    Final(StorageError),
}

/// Why a batch was not written.
enum Refused {
    /// This batch is refused; the others of its group are written.
    Batch(StorageError),
    /// The connection broke.
    Group(sqlx::Error),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(_) => Self::Batch(backend(error)),
            error => Self::Group(error),
        }
    }
}

impl Writer {
    /// Writes until the last sender is dropped and every batch is written.
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Job>) {
        let mut waiting = Waiting::default();
        loop {
            if waiting.len() == 0 {
                match queue.recv().await {
                    Some(job) => waiting.push(job),
                    None => return,
                }
            }
            while waiting.len() < QUEUE
                && let Ok(job) = queue.try_recv()
            {
                waiting.push(job);
            }
            let group = waiting.take(GROUP, GROUP_BYTES).into_iter();
            let (batches, mut callers): (Vec<_>, Vec<_>) =
                group.map(|Job { batch, done, .. }| (batch, done)).unzip();
            match self.write_group(&batches).await {
                Ok(outcomes) => {
                    for (done, outcome) in callers.into_iter().zip(outcomes) {
                        // The caller may have stopped waiting.
                        let _ = done.send(outcome);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the database refused a transaction");
                    if matches!(error, StorageError::Unreachable(_)) {
                        // Fails the queued batches as well. They have waited as long, and trying
                        // each would take longer.
                        let queued = waiting.take(usize::MAX, usize::MAX).into_iter();
                        let queued = queued.chain(std::iter::from_fn(|| queue.try_recv().ok()));
                        callers.extend(queued.map(|job| job.done));
                    }
                    callers.into_iter().for_each(|done| drop(done.send(Err(copy(&error)))));
                }
            }
        }
    }

    /// Writes a group. If the connection breaks, tries again on a new connection.
    async fn write_group(&self, batches: &[Vec<Write>]) -> StorageResult<Vec<StorageResult<bool>>> {
        let first = self.try_group(batches).await;
        let outcome = match first {
            Err(Failed::Before(error)) => {
                tracing::warn!(%error, "a transaction failed; trying again");
                self.try_group(batches).await
            }
            outcome => outcome,
        };
        outcome.map_err(|failed| match failed {
            Failed::Before(error) | Failed::Final(error) => error,
        })
    }

    async fn try_group(&self, batches: &[Vec<Write>]) -> Result<Vec<StorageResult<bool>>, Failed> {
        let mut connection = acquire(&self.pool).await.map_err(Failed::Final)?;
        let mut is_committing = false;
        let written = write_all(&mut connection, self.dialect, batches, &mut is_committing);
        let failed = match tokio::time::timeout(TIMEOUT, written).await {
            Ok(Ok(outcomes)) => return Ok(outcomes),
            Ok(Err(error)) if is_committing => Failed::Final(backend(error)),
            Ok(Err(error)) => Failed::Before(backend(error)),
            Err(late) => Failed::Final(StorageError::Unreachable(late.into())),
        };
        connection.close_on_drop();
        Err(failed)
    }
}

async fn write_all(
    connection: &mut AnyConnection,
    dialect: &Dialect,
    batches: &[Vec<Write>],
    is_committing: &mut bool,
) -> Result<Vec<StorageResult<bool>>, sqlx::Error> {
    let mut transaction = connection.begin_with(dialect.begin).await?;
    let mut outcomes = Vec::with_capacity(batches.len());
    for batch in batches {
        sqlx::raw_sql("SAVEPOINT batch").execute(&mut *transaction).await?;
        let outcome = write_batch(&mut transaction, batch).await;
        let end =
            if outcome.is_ok() { "RELEASE batch" } else { "ROLLBACK TO batch; RELEASE batch" };
        outcomes.push(match outcome {
            Ok(deleted) => Ok(deleted),
            Err(Refused::Batch(error)) => Err(error),
            Err(Refused::Group(error)) => return Err(error),
        });
        sqlx::raw_sql(end).execute(&mut *transaction).await?;
    }
    *is_committing = true;
    transaction.commit().await?;
    Ok(outcomes)
}

async fn write_batch(connection: &mut AnyConnection, batch: &[Write]) -> Result<bool, Refused> {
    let mut deleted = false;
    for write in batch {
        match write {
            Write::Set(name, value) => {
                on_key(SET, name).bind(value.as_slice()).execute(&mut *connection).await?;
            }
            Write::Create(name, value) => {
                let query = on_key(CREATE, name).bind(value.as_slice());
                if query.execute(&mut *connection).await?.rows_affected() == 0 {
                    return Err(Refused::Batch(StorageError::Exists(name.clone())));
                }
            }
            Write::Require(name) => {
                if on_key(EXISTS, name).fetch_optional(&mut *connection).await?.is_none() {
                    return Err(Refused::Batch(StorageError::NotFound(name.clone())));
                }
            }
            Write::Delete(name) => {
                let query = on_key(DELETE, name);
                deleted |= query.execute(&mut *connection).await?.rows_affected() > 0;
            }
            Write::Append { archive, at, value, limit } => {
                if let Some(limit) = limit {
                    let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
                    let Archive { host, store, owner } = archive;
                    let query = sqlx::query_scalar(COUNT).bind(host).bind(store).bind(owner);
                    let count: i64 = query.bind(limit).fetch_one(&mut *connection).await?;
                    if count >= limit {
                        return Err(Refused::Batch(StorageError::Full(archive.clone())));
                    }
                }
                let query = on_archive(APPEND, archive).bind(micros(*at)).bind(value.as_slice());
                query.execute(&mut *connection).await?;
            }
            Write::DeleteUpTo(archive, id) => {
                let query = on_archive(DELETE_UP_TO, archive).bind(*id);
                deleted |= query.execute(&mut *connection).await?.rows_affected() > 0;
            }
            Write::Purge { host, owner } => {
                let stores = sqlx::query_scalar(STORES).fetch_all(&mut *connection).await?;
                for store in stores {
                    let archive = Archive { host: host.clone(), store, owner: owner.clone() };
                    for statement in PURGE {
                        let query = on_archive(statement, &archive);
                        deleted |= query.execute(&mut *connection).await?.rows_affected() > 0;
                    }
                }
            }
        }
    }
    Ok(deleted)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn on_archive<'q>(statement: &'static str, archive: &'q Archive) -> Query<'q> {
    let Archive { host, store, owner } = archive;
    sqlx::query(statement).bind(host.as_str()).bind(store.as_str()).bind(owner.as_str())
}

fn on_key<'q>(statement: &'static str, name: &'q Name) -> Query<'q> {
    let Name { host, store, owner, key } = name;
    let query = sqlx::query(statement).bind(host.as_str()).bind(store.as_str());
    query.bind(owner.as_str()).bind(key.as_str())
}

/// Copies an error for the next caller, because errors of the database are not `Clone`.
fn copy(error: &StorageError) -> StorageError {
    match error {
        StorageError::Closed => StorageError::Closed,
        StorageError::Unreachable(cause) => StorageError::Unreachable(cause.to_string().into()),
        StorageError::Backend(cause) => StorageError::Backend(cause.to_string().into()),
        error => StorageError::Backend(error.to_string().into()),
    }
}
