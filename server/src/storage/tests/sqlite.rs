//! The suite on SQLite, and tests of SQLite alone.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use sqlx::{AnyConnection, Connection};

use super::*;

#[tokio::test]
async fn does_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/dá ta?#%41");
    let storage = Database::sqlite(&data).await.unwrap();
    suite::run(&storage).await;
    migrations::run(&storage).await;
    assert!(storage.stats().reads > 0);
    storage.close().await;

    let again = Database::sqlite(&data).await.unwrap();
    assert_eq!(again.get(partition("cat"), "after").await.unwrap(), Some(b"8".to_vec()));
    again.close().await;

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(&data.join(DATABASE_FILE)), 0o600);
    }
}

#[tokio::test]
async fn one_who_writes_much_does_not_make_others_wait() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(Database::sqlite(folder.path()).await.unwrap());
    let held = storage.writing_connection().await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let owners = std::iter::repeat_n("ann", 400).chain(["bob"]);
    let writers: Vec<_> = owners
        .enumerate()
        .map(|(number, owner)| {
            let (storage, order) = (Arc::clone(&storage), Arc::clone(&order));
            tokio::spawn(async move {
                let write = Write::set(partition(owner), &number.to_string(), vec![1; 100_000]);
                storage.write(vec![write]).await.unwrap();
                order.lock().unwrap().push(owner);
            })
        })
        .collect();
    while storage.stats().queued < 401 {
        tokio::task::yield_now().await;
    }
    drop(held);
    for writer in writers {
        writer.await.unwrap();
    }
    // The first of ann's batches is alone in a transaction, and bob's in the next.
    let place = order.lock().unwrap().iter().position(|owner| *owner == "bob").unwrap();
    assert!(place < 20, "bob waited for {place} batches of ann");
}

#[tokio::test]
async fn many_writers_and_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(Database::sqlite(folder.path()).await.unwrap());
    let writers: Vec<_> = (0..300)
        .map(|number: u32| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move {
                let write = Write::set(partition("u"), &format!("{number:03}"), vec![1]);
                storage.write(vec![write]).await.unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let stats = storage.stats();
    assert_eq!((stats.writes, stats.queued), (300, 0));
    assert!(!stats.write_time.is_zero());
    // A second process sees the acknowledged writes.
    let beside = Database::sqlite(folder.path()).await.unwrap();
    assert_eq!(beside.list(partition("u"), None, 1000).await.unwrap().len(), 300);
    let write = Write::append(partition("u"), SystemTime::now(), vec![2], None);
    beside.write(vec![write]).await.unwrap();
    beside.close().await;
    assert_eq!(storage.count(partition("u")).await.unwrap(), 1);
}

#[tokio::test]
async fn reads_that_are_given_up_take_no_connection_away() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Database::sqlite(folder.path()).await.unwrap();
    storage.write(vec![Write::set(partition("u"), "k", vec![1])]).await.unwrap();
    for _ in 0..20 {
        // The read is polled once, and is dropped if it has not ended by then.
        let _ = tokio::time::timeout(Duration::ZERO, storage.get(partition("u"), "k")).await;
    }
    assert_eq!(storage.get(partition("u"), "k").await.unwrap(), Some(vec![1]));
    storage.close().await;
}

async fn connect(folder: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let address = format!("sqlite://{}?mode=rwc", folder.join(DATABASE_FILE).display());
    AnyConnection::connect(&address).await.unwrap()
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Database::sqlite(folder.path()).await.unwrap().close().await;
    let mut connection = connect(folder.path()).await;
    sqlx::query("UPDATE schema SET version = 3").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();

    let error = Database::sqlite(folder.path()).await.unwrap_err();
    assert!(matches!(error, StorageError::Newer { found: 3, known: 2, .. }));
    let error = error.to_string();
    assert!(error.contains(DATABASE_FILE), "{error}");
    assert!(error.contains("newer version of Spondee"), "{error}");
}

#[tokio::test]
async fn schema_1_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(folder.path()).await;
    // The tables as a server with schema 1 made them.
    for statement in [
        "CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL) STRICT",
        "INSERT INTO schema SELECT 0 WHERE NOT EXISTS (SELECT * FROM schema)",
        "CREATE TABLE IF NOT EXISTS kv (\
         host TEXT NOT NULL, store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, \
         PRIMARY KEY (host, store, key)) STRICT, WITHOUT ROWID",
        "UPDATE schema SET version = 1",
        "INSERT INTO kv VALUES ('example.com', 'accounts', 'ann', X'01')",
        "INSERT INTO kv VALUES ('example.com', 'accounts', 'bob', X'02')",
        "INSERT INTO kv VALUES ('', 'server', 'scram-secret', X'03')",
    ] {
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();

    let storage = Database::sqlite(folder.path()).await.unwrap();
    storage.open(&crate::accounts::ACCOUNTS).await.unwrap();
    let accounts = |owner| Partition::new(HOST, "accounts", owner);
    assert_eq!(storage.owners(HOST, "accounts", None, 9).await.unwrap(), ["ann", "bob"]);
    assert_eq!(storage.get(accounts("bob"), "").await.unwrap(), Some(vec![2]));
    let secret = storage.get(Partition::new("", "server", ""), "scram-secret").await.unwrap();
    assert_eq!(secret, Some(vec![3]));
    // The stores have version 1, so that version 2 calls this migration, which fails.
    let newer = Schema { store: "accounts", version: 2, migrations: &[|_| Err("once".into())] };
    assert!(matches!(storage.open(&newer).await, Err(StorageError::Migration { found: 1, .. })));
    storage.close().await;
    Database::sqlite(folder.path()).await.unwrap().close().await;
}

#[tokio::test]
async fn commits_wait_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Database::sqlite(folder.path()).await.unwrap();
    let mut connection = storage.writing_connection().await;
    let synchronous: i64 =
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await.unwrap();
    let journal: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await.unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}
