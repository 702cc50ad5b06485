//! Opens the database that a config names.

use sqlx::AnyPool;

use super::{Database, StorageResult};
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

    /// As [`Database::look`]; returns a connection that cannot write. `None` if the database does not
    /// exist, or has tables of an older server.
    pub(super) async fn look_into(config: &Config) -> StorageResult<Option<AnyPool>> {
        match &config.storage.url {
            Some(url) => Self::look_postgres(url).await,
            None => Self::look_sqlite(&config.data).await,
        }
    }
}
