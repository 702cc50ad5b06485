//! PostgreSQL.

use sqlx::{AnyPool, any::AnyConnectOptions, any::AnyPoolOptions};

use super::backend::{ACQUIRE, Dialect, acquire, backend};
use super::database::Database;
use super::{StorageError, StorageResult, readers::Readers, versions};
use crate::config::DatabaseUrl;

/// The number of connections that read at the same time.
const READERS: u32 = 8;

/// The setup of connections that read. The timeout ends statements that the server gave up.
const READING: &str = "SET client_min_messages = warning; SET statement_timeout = '20s'; \
    SET default_transaction_read_only = on";

pub(super) const DIALECT: Dialect = Dialect {
    // The number is arbitrary; no other program may lock it in this database.
    begin: "BEGIN; SELECT pg_advisory_xact_lock(7955443247115461)",
    steps: &[
        // Version 1 existed only in SQLite.
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
    /// Must be called within a tokio runtime, on which the writer runs as a task.
    ///
    /// # Errors
    ///
    /// The database cannot be reached or used, or a newer server has written it.
    pub async fn postgres(url: &DatabaseUrl) -> StorageResult<Self> {
        let options = options(url)?;
        // A transaction that a crashed server left open must not block the next one.
        let writers = pool(
            &options,
            1,
            "SET client_min_messages = warning; SET synchronous_commit = on; \
             SET lock_timeout = '20s'; SET idle_in_transaction_session_timeout = '30s'",
        );
        let readers = pool(&options, READERS, READING);
        check_encoding(&readers, url).await?;
        Self::start(&DIALECT, Readers::tried(readers), writers, url.to_string()).await
    }

    /// See [`Database::look_into`].
    pub(super) async fn look_postgres(url: &DatabaseUrl) -> StorageResult<Option<AnyPool>> {
        let pool = pool(&options(url)?, 1, READING);
        let tables = "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('schema')";
        let looked = async {
            check_encoding(&pool, url).await?;
            let is_current = versions::look(&pool, &DIALECT, tables, url.to_string()).await?;
            if !is_current {
                check_rights(&pool, url).await?;
            }
            Ok(is_current)
        };
        let looked = looked.await;
        versions::keep_if_current(looked, pool).await
    }
}

fn options(url: &DatabaseUrl) -> StorageResult<AnyConnectOptions> {
    sqlx::any::install_default_drivers();
    url.expose().parse().map_err(backend)
}

/// Requires UTF-8, because names are compared by their bytes.
async fn check_encoding(readers: &AnyPool, url: &DatabaseUrl) -> StorageResult<()> {
    let encoding: String = sqlx::query_scalar("SELECT current_setting('server_encoding')")
        .fetch_one(&mut *acquire(readers).await?)
        .await
        .map_err(backend)?;
    if encoding == "UTF8" {
        return Ok(());
    }
    let message =
        format!("{url} has the encoding {encoding}; make a database with ENCODING 'UTF8'");
    Err(StorageError::Backend(message.into()))
}

/// Requires the right to make tables, which users lack by default since PostgreSQL 15.
async fn check_rights(readers: &AnyPool, url: &DatabaseUrl) -> StorageResult<()> {
    let may: Option<bool> =
        sqlx::query_scalar("SELECT has_schema_privilege(current_schema(), 'CREATE')")
            .fetch_one(readers)
            .await
            .map_err(backend)?;
    if may == Some(true) {
        return Ok(());
    }
    let message =
        format!("the user may not make tables in {url}; GRANT CREATE ON SCHEMA public TO the user");
    Err(StorageError::Backend(message.into()))
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
