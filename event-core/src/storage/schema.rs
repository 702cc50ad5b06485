//! The versions of what modules keep.

use std::error::Error;

use super::{StorageError, StorageResult};

/// The shape in which a module keeps its data.
#[derive(Debug)]
pub struct Schema {
    /// The store, named like its module unless the module has several.
    pub store: &'static str,
    /// The version of the shape, from 1 on.
    pub version: u32,
    /// How older data is brought up to it: the first from version 1 to 2, and so on.
    pub migrations: &'static [Migration],
}

/// Brings one row of a store from a version to the next; `None` deletes it.
///
/// # Errors
///
/// The row cannot be migrated; then nothing is, and the module does not start.
pub type Migration = fn(Row) -> Result<Option<Row>, Box<dyn Error + Send + Sync>>;

/// One value of a store, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The host; stays as it is.
    pub host: String,
    /// The owner.
    pub owner: String,
    /// The key; none for a value in an archive, which stays in one.
    pub key: Option<String>,
    /// The value.
    pub value: Vec<u8>,
}

impl Schema {
    /// The migrations from the version of the data that is there to this one; none if there is no
    /// data.
    ///
    /// # Errors
    ///
    /// The data is newer, or the schema itself makes no sense.
    pub fn missing(&self, found: Option<i64>) -> StorageResult<&'static [Migration]> {
        let Self { store, version, migrations } = *self;
        let wrong = |reason| Err(StorageError::Schema { store, reason });
        if version == 0 {
            return wrong("versions begin with 1");
        }
        if migrations.len() + 1 != version as usize {
            return wrong("there must be one migration for each version but the first");
        }
        let Some(found) = found else { return Ok(&[]) };
        if found > i64::from(version) {
            return Err(StorageError::NewerStore { store, found, known: version });
        }
        let done = usize::try_from(found - 1).ok();
        let missing = done.and_then(|done| migrations.get(done..));
        missing.map_or_else(|| wrong("the version of its data is below 1"), Ok)
    }

    /// Brings one row up to this version.
    ///
    /// # Errors
    ///
    /// A migration refuses it, or takes it out of its host or its archive.
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
            Ok(Some(new)) if new.host != host => "it leaves its host".to_owned(),
            Ok(Some(new)) if new.key.is_some() != key.is_some() => {
                "it changes between map and archive".to_owned()
            }
            Ok(row) => return Ok(row),
            Err(error) => error.to_string(),
        };
        let key = key.map(|key| format!(" key \"{key}\"")).unwrap_or_default();
        let reason = format!("a value of \"{owner}\" on {host}{key}: {reason}");
        Err(StorageError::Migration { store: self.store, found, known: self.version, reason })
    }
}
