//! Shared by readers, writer and migrations: the dialect, connections, errors, times.

use std::time::{Duration, Instant, SystemTime};

use sqlx::{Any, AnyPool, pool::PoolConnection};

use super::{StorageError, StorageResult};

/// The time after which a database that does not answer counts as stalled. It is longer than the
/// wait for a connection, and than SQLite's wait for another process.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// The time limit of the wait for a free connection or a restarting database.
pub(super) const ACQUIRE: Duration = Duration::from_secs(10);
/// The pause before a database that does not answer is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// The differences between databases.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Begins a transaction and excludes all other writers, including those of other processes.
    pub(super) begin: &'static str,
    /// The statements that migrate the tables from version 0 (an empty database) to 1, from 1 to 2,
    /// and so on.
    pub(super) steps: &'static [&'static [&'static str]],
}

/// Takes a connection. Waits while the database restarts; the pool itself waits only if the
/// connection is refused.
pub(super) async fn acquire(pool: &AnyPool) -> StorageResult<PoolConnection<Any>> {
    let deadline = Instant::now() + ACQUIRE;
    loop {
        match pool.acquire().await {
            Err(sqlx::Error::Io(error)) if Instant::now() < deadline => {
                tracing::debug!(%error, "the database cannot be reached; trying again");
                tokio::time::sleep(AGAIN).await;
            }
            acquired => return acquired.map_err(backend),
        }
    }
}

/// Converts an error of the database.
pub(super) fn backend(error: sqlx::Error) -> StorageError {
    match error {
        sqlx::Error::PoolClosed => StorageError::Closed,
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_) => {
            StorageError::Unreachable(error.into())
        }
        error => StorageError::Backend(error.into()),
    }
}

pub(super) fn micros(time: SystemTime) -> i64 {
    let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    }
}

pub(super) fn time_of_micros(micros: i64) -> SystemTime {
    let duration = Duration::from_micros(micros.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if micros < 0 { epoch.checked_sub(duration) } else { epoch.checked_add(duration) };
    // The server never writes a time outside the range of `SystemTime`.
    time.unwrap_or(epoch)
}
