//! Why storage fails.

use std::{error::Error, io, path::PathBuf};

use thiserror::Error;

use super::{Archive, Name};

/// What a storage call gives.
pub type StorageResult<T> = Result<T, StorageError>;

/// Why storage failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The data folder or a file in it cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Path {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer server has been here.
    #[error(
        "{database} was written by a newer version of Spondee (schema {found}, this one knows \
         {known}); update the server, or use another database"
    )]
    Newer {
        /// The database, without any secret.
        database: String,
        /// Its schema.
        found: i64,
        /// The newest schema this server knows.
        known: i64,
    },
    /// A newer version of a module has been here.
    #[error(
        "the data in store \"{store}\" is of version {found}, and this server knows versions up \
         to {known}: a newer one has written it; update the server, or go back to a backup made \
         before that one ran"
    )]
    NewerStore {
        /// The store.
        store: &'static str,
        /// The version of its data.
        found: i64,
        /// The newest version this server knows.
        known: u32,
    },
    /// Older data could not be migrated, and is as it was.
    #[error(
        "the data in store \"{store}\" cannot be brought from version {found} to {known}, and \
         stays as it was: {reason}"
    )]
    Migration {
        /// The store.
        store: &'static str,
        /// The version of its data.
        found: i64,
        /// The version wanted.
        known: u32,
        /// What the migration said, and of which row.
        reason: String,
    },
    /// A module declares a schema that makes no sense.
    #[error("the schema of store \"{store}\" is wrong: {reason}")]
    Schema {
        /// The store.
        store: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// A value that was to be created exists.
    #[error("{_0} exists already")]
    Exists(Name),
    /// A value that must exist does not.
    #[error("{_0} does not exist")]
    NotFound(Name),
    /// An archive has as many values as it may have.
    #[error("{_0} is full")]
    Full(Archive),
    /// A name is too long or has a NUL in it: see
    /// [`Partition::is_sound`](super::Partition::is_sound).
    #[error("a name is too long to be stored, or has a NUL in it")]
    Name,
    /// Storage has been closed.
    #[error("storage is closed")]
    Closed,
    /// The database does not answer in time, or not at all.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The database failed.
    #[error("the database failed: {0}")]
    Backend(#[source] Box<dyn Error + Send + Sync>),
}
