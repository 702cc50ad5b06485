//! The versions of the tables and of the modules' stores. Older versions are migrated in one
//! transaction; newer versions are refused.

use std::{borrow::Cow, collections::HashMap};

use sqlx::{AnyConnection, AnyExecutor, AnyPool, Connection};

use super::backend::{Dialect, acquire, backend};
use super::{Row, Schema, StorageError, StorageResult};

/// The number of rows of a store that are migrated at once.
const CHUNK: i64 = 500;

/// Makes the tables or migrates them to this server's version. Returns the versions of the stores.
pub(super) async fn prepare(
    writers: &AnyPool,
    dialect: &Dialect,
    database: String,
) -> StorageResult<HashMap<String, i64>> {
    let mut connection = acquire(writers).await?;
    let mut transaction = connection.begin_with(dialect.begin).await.map_err(backend)?;
    for statement in [
        "CREATE TABLE IF NOT EXISTS schema (version BIGINT NOT NULL)",
        "INSERT INTO schema SELECT 0 WHERE NOT EXISTS (SELECT * FROM schema)",
    ] {
        run(&mut transaction, statement).await?;
    }
    let found: i64 = sqlx::query_scalar("SELECT version FROM schema")
        .fetch_one(&mut *transaction)
        .await
        .map_err(backend)?;
    let steps = usize::try_from(found).ok().and_then(|found| dialect.steps.get(found..));
    let known = dialect.steps.len();
    let Some(steps) = steps else {
        let known = i64::try_from(known).unwrap_or(i64::MAX);
        return Err(StorageError::Newer { database, found, known });
    };
    for statement in steps.iter().copied().flatten() {
        run(&mut transaction, statement).await?;
    }
    if !steps.is_empty() {
        sqlx::query("UPDATE schema SET version = $1")
            .bind(i64::try_from(known).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await
            .map_err(backend)?;
    }
    let stores: Vec<(String, i64)> = sqlx::query_as("SELECT store, version FROM stores")
        .fetch_all(&mut *transaction)
        .await
        .map_err(backend)?;
    transaction.commit().await.map_err(backend)?;
    Ok(stores.into_iter().collect())
}

/// Whether the tables are there, counted by the statement `tables`, and of this server's version.
pub(super) async fn look(
    reader: &AnyPool,
    dialect: &Dialect,
    tables: &'static str,
    database: String,
) -> StorageResult<bool> {
    let failed = |error| damage(error, &database);
    let count: i64 = sqlx::query_scalar(tables).fetch_one(reader).await.map_err(failed)?;
    if count == 0 {
        return Ok(false);
    }
    let version = sqlx::query_scalar("SELECT version FROM schema").fetch_one(reader).await;
    let found: i64 = version.map_err(failed)?;
    let known = i64::try_from(dialect.steps.len()).unwrap_or(i64::MAX);
    if found > known {
        Err(StorageError::Newer { database, found, known })
    } else {
        Ok(found == known)
    }
}

/// Closes the connection that looked, unless more can be read from it.
pub(super) async fn keep_if_current(
    looked: StorageResult<bool>,
    reader: AnyPool,
) -> StorageResult<Option<AnyPool>> {
    if let Ok(true) = looked {
        return Ok(Some(reader));
    }
    reader.close().await;
    looked.map(|_| None)
}

/// An error of a database, which may be damaged.
fn damage(error: sqlx::Error, database: &str) -> StorageError {
    // SQLITE_CORRUPT and SQLITE_NOTADB.
    let is_damage = |code: Option<Cow<'_, str>>| matches!(code.as_deref(), Some("11" | "26"));
    match &error {
        sqlx::Error::Database(said) if is_damage(said.code()) => {
            let (database, reason) = (database.to_owned(), said.message().to_owned());
            StorageError::Damaged { database, reason }
        }
        _ => backend(error),
    }
}

/// Whether a store could be migrated to the version of its schema. Nothing is written.
pub(super) async fn rehearse(reader: &AnyPool, schema: &Schema) -> StorageResult<()> {
    let found: Option<i64> = sqlx::query_scalar("SELECT version FROM stores WHERE store = $1")
        .bind(schema.store)
        .fetch_optional(reader)
        .await
        .map_err(backend)?;
    let missing = schema.missing(found)?;
    let Some(found) = found.filter(|_| !missing.is_empty()) else { return Ok(()) };
    let mut last = (String::new(), String::new(), String::new());
    loop {
        let rows: Vec<(String, String, String, Vec<u8>)> = sqlx::query_as(
            "SELECT host, owner, key, value FROM map \
             WHERE store = $1 AND (host, owner, key) > ($2, $3, $4) \
             ORDER BY host, owner, key LIMIT $5",
        )
        .bind(schema.store)
        .bind(last.0)
        .bind(last.1)
        .bind(last.2)
        .bind(CHUNK)
        .fetch_all(reader)
        .await
        .map_err(backend)?;
        let Some((host, owner, key, _)) = rows.last() else { break };
        last = (host.clone(), owner.clone(), key.clone());
        for (host, owner, key, value) in rows {
            schema.migrate(found, missing, Row { host, owner, key: Some(key), value })?;
        }
    }
    let mut last = i64::MIN;
    loop {
        let rows = archived(reader, schema.store, last).await?;
        let Some((id, ..)) = rows.last() else { return Ok(()) };
        last = *id;
        for (_, host, owner, value) in rows {
            schema.migrate(found, missing, Row { host, owner, key: None, value })?;
        }
    }
}

/// Rows of a store's archive, behind the row `last`.
async fn archived<'c>(
    connection: impl AnyExecutor<'c>,
    store: &str,
    last: i64,
) -> StorageResult<Vec<(i64, String, String, Vec<u8>)>> {
    sqlx::query_as(
        "SELECT id, host, owner, value FROM archive \
         WHERE store = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(store)
    .bind(last)
    .bind(CHUNK)
    .fetch_all(connection)
    .await
    .map_err(backend)
}

/// Migrates a store to the version of its schema.
pub(super) async fn open(
    writers: &AnyPool,
    dialect: &Dialect,
    schema: &Schema,
) -> StorageResult<()> {
    let mut connection = acquire(writers).await?;
    let mut transaction = connection.begin_with(dialect.begin).await.map_err(backend)?;
    let found: Option<i64> = sqlx::query_scalar("SELECT version FROM stores WHERE store = $1")
        .bind(schema.store)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(backend)?;
    let missing = schema.missing(found)?;
    if found == Some(i64::from(schema.version)) {
        return Ok(());
    }
    if let Some(found) = found {
        tracing::info!(store = schema.store, found, known = schema.version, "migrating data");
        let migrate = |row| schema.migrate(found, missing, row);
        migrate_map(&mut transaction, schema.store, migrate).await?;
        migrate_archive(&mut transaction, schema.store, migrate).await?;
    }
    sqlx::query(
        "INSERT INTO stores (store, version) VALUES ($1, $2) \
         ON CONFLICT (store) DO UPDATE SET version = excluded.version",
    )
    .bind(schema.store)
    .bind(i64::from(schema.version))
    .execute(&mut *transaction)
    .await
    .map_err(backend)?;
    transaction.commit().await.map_err(backend)
}

async fn migrate_map(
    connection: &mut AnyConnection,
    store: &str,
    migrate: impl Fn(Row) -> StorageResult<Option<Row>>,
) -> StorageResult<()> {
    // Migrated rows go to this store, so that none is read twice. No module's store has such a
    // name.
    let aside = format!("{store}~migrated");
    loop {
        let rows: Vec<(String, String, String, Vec<u8>)> =
            sqlx::query_as("SELECT host, owner, key, value FROM map WHERE store = $1 LIMIT $2")
                .bind(store)
                .bind(CHUNK)
                .fetch_all(&mut *connection)
                .await
                .map_err(backend)?;
        if rows.is_empty() {
            break;
        }
        for (host, owner, key, value) in rows {
            sqlx::query(
                "DELETE FROM map WHERE host = $1 AND store = $2 AND owner = $3 AND key = $4",
            )
            .bind(&*host)
            .bind(store)
            .bind(&*owner)
            .bind(&*key)
            .execute(&mut *connection)
            .await
            .map_err(backend)?;
            let Some(row) = migrate(Row { host, owner, key: Some(key), value })? else { continue };
            sqlx::query(
                "INSERT INTO map (host, store, owner, key, value) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(row.host)
            .bind(&*aside)
            .bind(row.owner)
            .bind(row.key.unwrap_or_default())
            .bind(row.value)
            .execute(&mut *connection)
            .await
            .map_err(backend)?;
        }
    }
    sqlx::query("UPDATE map SET store = $1 WHERE store = $2")
        .bind(store)
        .bind(&*aside)
        .execute(connection)
        .await
        .map(drop)
        .map_err(backend)
}

async fn migrate_archive(
    connection: &mut AnyConnection,
    store: &str,
    migrate: impl Fn(Row) -> StorageResult<Option<Row>>,
) -> StorageResult<()> {
    let mut last = i64::MIN;
    loop {
        let rows = archived(&mut *connection, store, last).await?;
        let Some((id, ..)) = rows.last() else { return Ok(()) };
        last = *id;
        for (id, host, owner, value) in rows {
            let query = match migrate(Row { host, owner, key: None, value })? {
                None => sqlx::query("DELETE FROM archive WHERE id = $1").bind(id),
                Some(row) => sqlx::query("UPDATE archive SET owner = $2, value = $3 WHERE id = $1")
                    .bind(id)
                    .bind(row.owner)
                    .bind(row.value),
            };
            query.execute(&mut *connection).await.map_err(backend)?;
        }
    }
}

async fn run(connection: &mut AnyConnection, statement: &'static str) -> StorageResult<()> {
    sqlx::raw_sql(statement).execute(connection).await.map(drop).map_err(backend)
}
