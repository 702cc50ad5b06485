//! What is PostgreSQL's own.

use sqlx::{AnyPool, any::AnyConnectOptions, any::AnyPoolOptions};

use super::database::{ACQUIRE, Database, Dialect, acquire, backend};
use super::{StorageError, StorageResult};
use crate::config::DatabaseUrl;

/// Connections that read at the same time.
const READERS: u32 = 8;

const DIALECT: Dialect = Dialect {
    // Any number will do, as long as nobody else locks it in this database.
    begin: "BEGIN; SELECT pg_advisory_xact_lock(7955443247115461)",
    steps: &[
        // Version 1 was only ever SQLite's.
        &[],
        &[
            "CREATE TABLE stores (store TEXT COLLATE \"C\" PRIMARY KEY, version BIGINT NOT NULL)",
            "CREATE TABLE map (\
             host TEXT COLLATE \"C\" NOT NULL, store TEXT COLLATE \"C\" NOT NULL, \
             owner TEXT COLLATE \"C\" NOT NULL, key TEXT COLLATE \"C\" NOT NULL, \
             value BYTEA NOT NULL, PRIMARY KEY (host, store, owner, key))",
            "CREATE TABLE archive (\
             id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
             host TEXT COLLATE \"C\" NOT NULL, store TEXT COLLATE \"C\" NOT NULL, \
             owner TEXT COLLATE \"C\" NOT NULL, at BIGINT NOT NULL, value BYTEA NOT NULL)",
            "CREATE INDEX archive_of_owner ON archive (host, store, owner, id)",
        ],
    ],
};

impl Database {
    /// Connects to a PostgreSQL database and makes its tables if they do not exist.
    ///
    /// Must be called within a tokio runtime, which the writer then lives on.
    ///
    /// # Errors
    ///
    /// The database cannot be reached or used, or a newer server has written it.
    pub async fn postgres(url: &DatabaseUrl) -> StorageResult<Self> {
        sqlx::any::install_default_drivers();
        let options: AnyConnectOptions = url.expose().parse().map_err(backend)?;
        // A transaction that a lost server left open must not hold up the next one.
        let writers = pool(
            &options,
            1,
            "SET client_min_messages = warning; SET synchronous_commit = on; \
             SET lock_timeout = '15s'; SET idle_in_transaction_session_timeout = '30s'",
        );
        let readers = pool(
            &options,
            READERS,
            "SET client_min_messages = warning; SET statement_timeout = '15s'; \
             SET default_transaction_read_only = on",
        );
        let encoding: String = sqlx::query_scalar("SELECT current_setting('server_encoding')")
            .fetch_one(&mut *acquire(&readers).await?)
            .await
            .map_err(backend)?;
        if encoding != "UTF8" {
            let message = format!("{url} is in {encoding}; make one with ENCODING 'UTF8'");
            return Err(StorageError::Backend(message.into()));
        }
        Self::start(&DIALECT, readers, writers, url.to_string()).await
    }
}

fn pool(options: &AnyConnectOptions, connections: u32, setup: &'static str) -> AnyPool {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(setup).execute(connection).await.map(drop) })
        })
        .connect_lazy_with(options.clone())
}
