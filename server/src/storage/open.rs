//! Opens the database that a config names.

use sqlx::AnyPool;

use super::{Database, Schema, StorageError, StorageResult, versions};
use crate::config::Config;

impl Database {
    /// Opens the database that the config names, or the SQLite file in the data folder.
    ///
    /// # Errors
    ///
    /// The database cannot be used.
    pub async fn open(config: &Config) -> StorageResult<Self> {
        match &config.storage.url {
            Some(url) => Self::postgres(url).await,
            None => Self::sqlite(&config.data).await,
        }
    }

    /// Checks whether [`Database::open`] could open the database, and changes nothing.
    ///
    /// # Errors
    ///
    /// The database exists but cannot be used, or a newer server has written it.
    pub async fn look(config: &Config) -> StorageResult<()> {
        if let Some(pool) = Self::look_into(config).await? {
            pool.close().await;
        }
        Ok(())
    }

    /// Why stores with these schemas could not be opened. From the database nothing is read but the
    /// versions of stores, and rows to be migrated; nothing is written. A database that cannot be used
    /// gives no error: see [`Database::look`].
    pub(crate) async fn rehearse(config: &Config, schemas: &[Schema]) -> Vec<StorageError> {
        let Ok(Some(pool)) = Self::look_into(config).await else { return Vec::new() };
        let mut refused = Vec::new();
        for schema in schemas {
            refused.extend(versions::rehearse(&pool, schema).await.err());
        }
        pool.close().await;
        refused
    }

    /// As [`Database::look`]; returns a connection that cannot write. `None` if the database does not
    /// exist, or has tables of an older server.
    pub(super) async fn look_into(config: &Config) -> StorageResult<Option<AnyPool>> {
        match &config.storage.url {
            Some(url) => Self::look_postgres(url).await,
            None => Self::look_sqlite(&config.data).await,
        }
    }
}
