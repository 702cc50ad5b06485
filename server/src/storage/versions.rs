//! The versions of the tables and of the modules' stores. Older versions are migrated in one
//! transaction; newer versions are refused.

use std::collections::HashMap;

use sqlx::{AnyConnection, AnyPool, Connection};

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

/// Checks whether this server knows the version of the tables.
pub(super) async fn look(
    readers: &AnyPool,
    dialect: &Dialect,
    database: String,
) -> StorageResult<()> {
    let found: i64 = sqlx::query_scalar("SELECT version FROM schema")
        .fetch_one(readers)
        .await
        .map_err(backend)?;
    let known = i64::try_from(dialect.steps.len()).unwrap_or(i64::MAX);
    if found > known { Err(StorageError::Newer { database, found, known }) } else { Ok(()) }
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
        let rows: Vec<(i64, String, String, Vec<u8>)> = sqlx::query_as(
            "SELECT id, host, owner, value FROM archive \
             WHERE store = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(store)
        .bind(last)
        .bind(CHUNK)
        .fetch_all(&mut *connection)
        .await
        .map_err(backend)?;
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
