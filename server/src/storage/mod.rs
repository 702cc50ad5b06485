//! The storage of `event-core` in a database.

mod backend;
mod database;
mod fair;
mod job;
mod open;
mod postgres;
mod readers;
mod sqlite;
#[cfg(test)]
mod tests;
mod versions;
mod writer;

use std::{fs, io, path::Path};

pub use database::Database;
pub use event_core::{BoxFuture, storage::*};
pub use sqlite::DATABASE_FILE;

/// The file that a server locks while it uses a data folder.
pub(crate) const LOCK_FILE: &str = "spondee.lock";

/// Makes the data folder, readable by its owner only, if it does not exist.
///
/// # Errors
///
/// The folder cannot be made, or is not a folder.
pub fn create_data_folder(folder: &Path) -> StorageResult<()> {
    let error = |source| StorageError::Path { path: folder.to_owned(), source };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(error)
}

/// Makes an empty file, readable by its owner only, unless it exists.
pub(crate) fn create_private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes the entries of a folder to the disk, so that new files are found after a power failure.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}
