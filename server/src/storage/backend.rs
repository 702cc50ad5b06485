//! What readers, the writer and migrations share: the dialect, connections, errors, times.

use std::time::{Duration, Instant, SystemTime};

use sqlx::{Any, AnyPool, pool::PoolConnection};

use super::{StorageError, StorageResult};

/// The time after which the database counts as stalled. Slightly longer than the pools wait for a
/// connection, and SQLite for another process.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// How long to wait for a free connection, or for a database that restarts.
pub(super) const ACQUIRE: Duration = Duration::from_secs(10);
/// The pause before a database that does not answer is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// The differences between databases.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Begins a transaction that no other writer, of any process, runs beside.
    pub(super) begin: &'static str,
    /// The statements that migrate the tables from version 0 (an empty database) to 1, to 2, and so
    /// on.
    pub(super) steps: &'static [&'static [&'static str]],
}

/// Takes a connection. While the database restarts, a call waits for it; the pool itself does so
/// only if the connection is refused.
pub(super) async fn acquire(pool: &AnyPool) -> StorageResult<PoolConnection<Any>> {
    let deadline = Instant::now() + ACQUIRE;
    loop {
        match pool.acquire().await {
            Err(sqlx::Error::Io(error)) if Instant::now() < deadline => {
                tracing::debug!(%error, "the database cannot be reached, and is tried again");
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
    // The server writes no times beyond the system's range.
    time.unwrap_or(epoch)
}
