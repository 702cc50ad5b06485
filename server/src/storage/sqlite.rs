//! Storage in one SQLite file.
//!
//! All writes pass one task with one connection, which puts whatever waits into one transaction:
//! each commit waits for the disk, so many small writes cost as much as one. Every caller's batch
//! stays atomic by itself through a savepoint, and is acknowledged only after the commit.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{
    BoxFuture, Entry, KeyValue, Name, StorageError, StorageResult, Write, create_data_folder,
    create_private_file, sync_folder,
};

/// The database's name in the data folder.
pub const DATABASE_FILE: &str = "spondee.sqlite";

const SCHEMA: i64 = 1;
/// Connections that read at the same time.
const READERS: u32 = 4;
/// How long a statement waits for another process, like the command line beside the server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Batches waiting for the writer; past that, callers wait to hand theirs over.
const QUEUE: usize = 1024;
/// Batches in one transaction at most, so that the first need not wait for too many others.
const GROUP: usize = 256;

/// [`KeyValue`] in an SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    readers: SqlitePool,
    jobs: mpsc::Sender<Job>,
    writer: JoinHandle<()>,
}

struct Job {
    batch: Vec<Write>,
    done: oneshot::Sender<StorageResult<bool>>,
}

impl Sqlite {
    /// Opens the database in a data folder, making both if they do not exist.
    ///
    /// Must be called within a tokio runtime, which the writer then lives on.
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be used, or a newer server has written it.
    pub async fn open(folder: &Path) -> StorageResult<Self> {
        create_data_folder(folder)?;
        let path = folder.join(DATABASE_FILE);
        create_private_file(&path)
            .and_then(|_| sync_folder(folder))
            .map_err(|source| StorageError::Path { path: path.clone(), source })?;
        let options = connect_options(&path);
        let mut connection = SqliteConnection::connect_with(&options).await.map_err(backend)?;
        prepare(&mut connection, &path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_lazy_with(options.pragma("query_only", "1"));
        let (jobs, queue) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(write_jobs(connection, queue));
        Ok(Self { readers, jobs, writer })
    }

    /// Writes what is still waiting and closes the file.
    pub async fn close(self) {
        let Self { readers, jobs, writer } = self;
        readers.close().await;
        drop(jobs);
        if let Err(error) = writer.await {
            tracing::error!(%error, "the database writer ended badly");
        }
    }
}

impl KeyValue for Sqlite {
    fn get<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, StorageResult<Option<Vec<u8>>>> {
        Box::pin(async move {
            sqlx::query_scalar("SELECT value FROM kv WHERE host = ? AND store = ? AND key = ?")
                .bind(host)
                .bind(store)
                .bind(key)
                .fetch_optional(&self.readers)
                .await
                .map_err(backend)
        })
    }

    fn list<'a>(
        &'a self,
        host: &'a str,
        store: &'a str,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, StorageResult<Vec<Entry>>> {
        Box::pin(async move {
            let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
                "SELECT key, value FROM kv WHERE host = ? AND store = ? \
                 AND (key > ? OR ?) ORDER BY key LIMIT ?",
            )
            .bind(host)
            .bind(store)
            .bind(after.unwrap_or_default())
            .bind(after.is_none())
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(backend)?;
            Ok(rows.into_iter().map(|(key, value)| Entry { key, value }).collect())
        })
    }

    fn write(&self, batch: Vec<Write>) -> BoxFuture<'_, StorageResult<bool>> {
        Box::pin(async move {
            let (done, outcome) = oneshot::channel();
            self.jobs.send(Job { batch, done }).await.map_err(|_| StorageError::Closed)?;
            outcome.await.map_err(|_| StorageError::Closed)?
        })
    }
}

pub(super) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // In WAL mode NORMAL would lose the last commits when the power fails.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
}

async fn prepare(connection: &mut SqliteConnection, path: &Path) -> StorageResult<()> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(backend)?;
    for statement in [
        "CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL) STRICT",
        "INSERT INTO schema SELECT 0 WHERE NOT EXISTS (SELECT * FROM schema)",
    ] {
        sqlx::query(statement).execute(&mut *transaction).await.map_err(backend)?;
    }
    let found: i64 = sqlx::query_scalar("SELECT version FROM schema")
        .fetch_one(&mut *transaction)
        .await
        .map_err(backend)?;
    if found > SCHEMA {
        return Err(StorageError::Newer { path: PathBuf::from(path), found, known: SCHEMA });
    }
    for statement in [
        "CREATE TABLE IF NOT EXISTS kv (\
         host TEXT NOT NULL, store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, \
         PRIMARY KEY (host, store, key)) STRICT, WITHOUT ROWID",
        "UPDATE schema SET version = 1",
    ] {
        sqlx::query(statement).execute(&mut *transaction).await.map_err(backend)?;
    }
    transaction.commit().await.map_err(backend)
}

/// The writer: ends when the last sender is gone and everything is written.
async fn write_jobs(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Job>) {
    let mut group = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let (batches, waiting): (Vec<_>, Vec<_>) =
            group.drain(..).map(|Job { batch, done }| (batch, done)).unzip();
        match write_group(&mut connection, &batches).await {
            Ok(outcomes) => {
                for (done, outcome) in waiting.into_iter().zip(outcomes) {
                    // A caller that has gone away does not want to know.
                    let _ = done.send(outcome);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the database refused a transaction");
                let text = error.to_string();
                for done in waiting {
                    let _ = done.send(Err(StorageError::Backend(text.clone().into())));
                }
            }
        }
    }
    if let Err(error) = connection.close().await {
        tracing::error!(%error, "the database did not close well");
    }
}

async fn write_group(
    connection: &mut SqliteConnection,
    batches: &[Vec<Write>],
) -> Result<Vec<StorageResult<bool>>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut outcomes = Vec::with_capacity(batches.len());
    for batch in batches {
        sqlx::query("SAVEPOINT batch").execute(&mut *transaction).await?;
        let outcome = write_batch(&mut transaction, batch).await?;
        if outcome.is_err() {
            sqlx::query("ROLLBACK TO batch").execute(&mut *transaction).await?;
        }
        sqlx::query("RELEASE batch").execute(&mut *transaction).await?;
        outcomes.push(outcome);
    }
    transaction.commit().await?;
    Ok(outcomes)
}

async fn write_batch(
    connection: &mut SqliteConnection,
    batch: &[Write],
) -> Result<StorageResult<bool>, sqlx::Error> {
    let mut deleted = false;
    for write in batch {
        let (statement, name, value) = match write {
            Write::Set(name, value) => (
                "INSERT INTO kv (host, store, key, value) VALUES (?, ?, ?, ?) \
                 ON CONFLICT DO UPDATE SET value = excluded.value",
                name,
                Some(value),
            ),
            Write::Create(name, value) => (
                "INSERT INTO kv (host, store, key, value) VALUES (?, ?, ?, ?) \
                 ON CONFLICT DO NOTHING",
                name,
                Some(value),
            ),
            Write::Delete(name) => {
                ("DELETE FROM kv WHERE host = ? AND store = ? AND key = ?", name, None)
            }
        };
        let Name { host, store, key } = name;
        let mut query = sqlx::query(statement).bind(host).bind(store).bind(key);
        if let Some(value) = value {
            query = query.bind(value);
        }
        let touched = query.execute(&mut *connection).await?.rows_affected() > 0;
        match write {
            Write::Create(name, _) if !touched => {
                return Ok(Err(StorageError::Exists(name.clone())));
            }
            Write::Delete(_) => deleted |= touched,
            _ => {}
        }
    }
    Ok(Ok(deleted))
}

fn backend(error: sqlx::Error) -> StorageError {
    StorageError::Backend(Box::new(error))
}
