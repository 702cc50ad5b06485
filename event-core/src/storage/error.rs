//! Errors of storage.

use std::{error::Error, io, path::PathBuf};

use super::{Archive, Name};
use thiserror::Error;

use crate::protocol::stanza_error::StanzaError;

/// The result of a storage call.
pub type StorageResult<T> = Result<T, StorageError>;

/// An error of storage.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The data folder or a file in it cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Path {
        /// The folder or file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A newer server has written the database.
    #[error(
        "{database} was written by a newer version of Spondee (schema {found}; this version knows \
         {known}); update the server, or use another database"
    )]
    Newer {
        /// The database, without any secret.
        database: String,
        /// The schema of the database.
        found: i64,
        /// The newest schema that this server knows.
        known: i64,
    },
    /// The database is damaged, or is none.
    #[error(
        "{database} cannot be read: {reason}\n  help: restore a backup of it, or move it away to \
         begin with an empty one"
    )]
    Damaged {
        /// The database, without any secret.
        database: String,
        /// What the database said.
        reason: String,
    },
    /// A newer version of the module has written the store.
    #[error(
        "the data in store \"{store}\" has version {found}, and this server knows versions up to \
         {known}: a newer server has written the data; update this server, or restore a backup \
         made before the newer server ran"
    )]
    NewerStore {
        /// The store.
        store: &'static str,
        /// The version of the data.
        found: i64,
        /// The newest version that this server knows.
        known: u32,
    },
    /// Older data could not be migrated and is unchanged.
    #[error(
        "the data in store \"{store}\" cannot be migrated from version {found} to {known} and is \
         unchanged: {reason}"
    )]
    Migration {
        /// The store.
        store: &'static str,
        /// The version of the data.
        found: i64,
        /// The version of the module's schema.
        known: u32,
        /// The row and the migration's error.
        reason: String,
    },
    /// A module declares an invalid schema.
    #[error("the schema of store \"{store}\" is invalid: {reason}")]
    Schema {
        /// The store.
        store: &'static str,
        /// The mistake in the schema.
        reason: &'static str,
    },
    /// The value to be created exists.
    #[error("{_0} exists already")]
    Exists(Name),
    /// A value that must exist does not exist.
    #[error("{_0} does not exist")]
    NotFound(Name),
    /// The archive has reached its limit.
    #[error("{_0} is full")]
    Full(Archive),
    /// A name is too long or contains NUL: see
    /// [`Partition::is_sound`](super::Partition::is_sound).
    #[error("a name is too long to be stored, or contains NUL")]
    Name,
    /// Storage has been closed.
    #[error("storage is closed")]
    Closed,
    /// The database does not answer in time.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The database failed.
    #[error("the database failed: {0}")]
    Backend(#[source] Box<dyn Error + Send + Sync>),
}

/// Tells the sender only that the server failed, unless the data of the sender is the reason.
impl From<StorageError> for StanzaError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Name => Self::policy_violation().text("a name is too long to be stored"),
            StorageError::Full(_) => {
                Self::resource_constraint().text("the limit of stored data is reached")
            }
            error => {
                tracing::error!(%error, "storage failed while a stanza was handled");
                Self::internal_server_error()
            }
        }
    }
}
