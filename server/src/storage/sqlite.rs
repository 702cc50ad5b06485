//! SQLite: one file in the data folder.

use std::{fmt::Write as _, io, path::Path};

use sqlx::{AnyPool, any::AnyConnectOptions, any::AnyPoolOptions};

use super::backend::{ACQUIRE, Dialect};
use super::database::Database;
use super::readers::Readers;
use super::{
    StorageError, StorageResult, create_data_folder, create_private_file, sync_folder, versions,
};

/// The name of the database file in the data folder.
pub const DATABASE_FILE: &str = "spondee.sqlite";

/// The number of connections that read at the same time. Two suffice, because most reads are served
/// from memory, and each connection has a thread.
const READERS: u32 = 2;

pub(super) const DIALECT: Dialect = Dialect {
    // Takes the lock at once, because a transaction that reads first may not get it later.
    begin: "BEGIN IMMEDIATE",
    steps: &[
        &["CREATE TABLE kv (\
           host TEXT NOT NULL, store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, \
           PRIMARY KEY (host, store, key)) STRICT, WITHOUT ROWID"],
        &[
            "CREATE TABLE stores (store TEXT PRIMARY KEY, version INTEGER NOT NULL) \
             STRICT, WITHOUT ROWID",
            "CREATE TABLE map (\
             host TEXT NOT NULL, store TEXT NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL, \
             value BLOB NOT NULL, PRIMARY KEY (host, store, owner, key)) STRICT, WITHOUT ROWID",
            // AUTOINCREMENT, so that ids of deleted rows are not reused.
            "CREATE TABLE archive (\
             id INTEGER PRIMARY KEY AUTOINCREMENT, \
             host TEXT NOT NULL, store TEXT NOT NULL, owner TEXT NOT NULL, \
             at INTEGER NOT NULL, value BLOB NOT NULL) STRICT",
            "CREATE INDEX archive_of_owner ON archive (host, store, owner, id)",
            "INSERT INTO map SELECT host, store, key, '', value FROM kv WHERE store = 'accounts'",
            "INSERT INTO map SELECT host, store, '', key, value FROM kv WHERE store <> 'accounts'",
            "INSERT INTO stores SELECT DISTINCT store, 1 FROM kv",
            "DROP TABLE kv",
        ],
    ],
};

impl Database {
    /// Opens the SQLite file in a data folder. Makes both if they do not exist.
    ///
    /// Must be called within a tokio runtime, on which the writer runs as a task.
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be used, or a newer server has written it.
    pub async fn sqlite(folder: &Path) -> StorageResult<Self> {
        create_data_folder(folder)?;
        // The pool tries a file again that is no database, and then says that time has run out.
        if let Some(pool) = Self::look_sqlite(folder).await? {
            pool.close().await;
        }
        let file = folder.join(DATABASE_FILE);
        let error = |source| StorageError::Path { path: file.clone(), source };
        create_private_file(&file).and_then(|_| sync_folder(folder)).map_err(error)?;
        let options = options(&file, "").map_err(error)?;
        let pool = |connections, setup| pool(&options, connections, setup);
        // In WAL mode, synchronous NORMAL would lose the last commits when the power fails. The
        // timeout limits the wait for another process, such as the command line. The cache (in KiB)
        // is small, because the kernel caches the same pages.
        let writers = pool(
            1,
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA cache_size = -256",
        );
        let readers = pool(
            READERS,
            "PRAGMA busy_timeout = 10000; PRAGMA query_only = 1; PRAGMA cache_size = -64",
        );
        let readers = Readers::kept(readers, READERS);
        Self::start(&DIALECT, readers, writers, file.display().to_string()).await
    }

    /// See [`Database::look_into`].
    pub(super) async fn look_sqlite(folder: &Path) -> StorageResult<Option<AnyPool>> {
        let file = folder.join(DATABASE_FILE);
        let error = |source| StorageError::Path { path: file.clone(), source };
        let options = options(&file, "?mode=ro").map_err(error)?;
        match std::fs::metadata(&file) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            // The file is new, and nothing is written yet.
            Ok(found) if found.len() == 0 => return Ok(None),
            Err(source) => return Err(error(source)),
            Ok(_) => {}
        }
        let pool = pool(&options, 1, "PRAGMA query_only = 1");
        let tables = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'schema'";
        let looked = versions::look(&pool, &DIALECT, tables, file.display().to_string()).await;
        versions::keep_if_current(looked, pool).await
    }
}

fn pool(options: &AnyConnectOptions, connections: u32, setup: &'static str) -> AnyPool {
    AnyPoolOptions::new()
        .max_connections(connections)
        // Opens all connections before they are needed.
        .min_connections(connections)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        // The connection to a file does not break.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(setup).execute(connection).await.map(drop) })
        })
        .connect_lazy_with(options.clone())
}

/// The file as a URL with these parameters.
fn options(file: &Path, parameters: &str) -> io::Result<AnyConnectOptions> {
    let file = std::path::absolute(file)?;
    let text = file.to_str().ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
    let mut address = "sqlite://".to_owned();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            address.push(char::from(byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address.push_str(parameters);
    sqlx::any::install_default_drivers();
    address.parse().map_err(io::Error::other)
}
