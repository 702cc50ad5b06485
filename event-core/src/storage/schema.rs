//! The versions of modules' data.

use std::error::Error;

use super::{StorageError, StorageResult};

/// The schema of a module's data.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The name of the store: the name of the module, unless the module has several stores.
    pub store: &'static str,
    /// The version of the schema, beginning with 1.
    pub version: u32,
    /// The migrations of older data: the first from version 1 to 2, and so on.
    pub migrations: &'static [Migration],
}

/// Migrates one row of a store to the next version. A migration that returns `None` deletes the
/// row.
///
/// # Errors
///
/// The row cannot be migrated. All rows then stay unchanged, and the module does not start.
pub type Migration = fn(Row) -> Result<Option<Row>, Box<dyn Error + Send + Sync>>;

/// One value of a store, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The host; a migration must not change it.
    pub host: String,
    /// The owner.
    pub owner: String,
    /// The key; `None` for a value in an archive. A migration must not move a value between map and
    /// archive.
    pub key: Option<String>,
    /// The value.
    pub value: Vec<u8>,
}

impl Schema {
    /// The migrations from version `found` to the version of this schema; empty if there is no
    /// data.
    ///
    /// # Errors
    ///
    /// The data is newer, or the schema is invalid.
    pub fn missing(&self, found: Option<i64>) -> StorageResult<&'static [Migration]> {
        let Self { store, version, migrations } = *self;
        let wrong = |reason| Err(StorageError::Schema { store, reason });
        if version == 0 {
            return wrong("versions begin with 1");
        }
        if migrations.len() + 1 != version as usize {
            return wrong("there must be one migration for each version after the first");
        }
        let Some(found) = found else { return Ok(&[]) };
        if found > i64::from(version) {
            return Err(StorageError::NewerStore { store, found, known: version });
        }
        let done = usize::try_from(found - 1).ok();
        let missing = done.and_then(|done| migrations.get(done..));
        missing.map_or_else(|| wrong("the version of the stored data is below 1"), Ok)
    }

    /// Migrates one row to the version of this schema.
    ///
    /// # Errors
    ///
    /// A migration refuses the row, changes the host of the row, or moves the row between map and
    /// archive.
    pub fn migrate(
        &self,
        found: i64,
        missing: &[Migration],
        row: Row,
    ) -> StorageResult<Option<Row>> {
        let (host, owner, key) = (row.host.clone(), row.owner.clone(), row.key.clone());
        let migrated =
            missing.iter().try_fold(Some(row), |row, migration| row.map_or(Ok(None), migration));
        let reason = match migrated {
            Ok(Some(new)) if new.host != host => {
                "the migration changes the host of the value".to_owned()
            }
            Ok(Some(new)) if new.key.is_some() != key.is_some() => {
                "the migration moves the value between map and archive".to_owned()
            }
            Ok(row) => return Ok(row),
            Err(error) => error.to_string(),
        };
        let key = key.map(|key| format!(" key \"{key}\"")).unwrap_or_default();
        let reason = format!("a value of \"{owner}\" on {host}{key}: {reason}");
        Err(StorageError::Migration { store: self.store, found, known: self.version, reason })
    }
}
