//! The suite on PostgreSQL, and tests of PostgreSQL alone.

use spondee_postgres::Postgres;
use sqlx::Connection;

use super::*;
use crate::config::Config;

fn config(postgres: &Postgres) -> Config {
    let config = format!("[storage]\nurl = \"{}\"", postgres.url());
    Config::parse(Path::new("s.toml"), &config).unwrap()
}

async fn open(postgres: &Postgres) -> StorageResult<Database> {
    Database::open(&config(postgres)).await
}

async fn look(postgres: &Postgres) -> StorageResult<()> {
    Database::look(&config(postgres)).await
}

fn set(key: &str) -> Vec<Write> {
    vec![Write::set(partition("u"), key, vec![1])]
}

#[tokio::test]
#[ignore = "needs PostgreSQL: CONTRIBUTING.md says how to run it"]
async fn does_all_of_it() {
    let postgres = Postgres::start();
    let storage = open(&postgres).await.unwrap();
    suite::run(&storage).await;
    migrations::run(&storage).await;
    storage.close().await;

    let again = open(&postgres).await.unwrap();
    assert_eq!(again.get(partition("cat"), "after").await.unwrap(), Some(b"8".to_vec()));
    // A second connection stands for another process. Both write, also at the same time.
    let beside = open(&postgres).await.unwrap();
    let (one, other) = tokio::join!(again.write(set("one")), beside.write(set("other")));
    assert!(one.is_ok() && other.is_ok());
    assert!(again.get(partition("u"), "other").await.unwrap().is_some());
    assert!(beside.get(partition("u"), "one").await.unwrap().is_some());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: CONTRIBUTING.md says how to run it"]
async fn a_newer_schema_is_refused() {
    let postgres = Postgres::start();
    look(&postgres).await.unwrap();
    assert_eq!(postgres.query("SELECT COUNT(*) FROM pg_tables WHERE tablename = 'map'"), "0\n");
    open(&postgres).await.unwrap().close().await;
    look(&postgres).await.unwrap();
    postgres.query("UPDATE schema SET version = 3");
    let error = open(&postgres).await.unwrap_err();
    assert!(matches!(error, StorageError::Newer { found: 3, known: 2, .. }));
    assert!(error.to_string().contains("/postgres was written by a newer version"), "{error}");
    assert!(matches!(look(&postgres).await, Err(StorageError::Newer { .. })));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: CONTRIBUTING.md says how to run it"]
async fn another_encoding_is_refused() {
    let postgres = Postgres::start();
    postgres.query("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    let url = postgres.url().replace("/postgres", "/latin").replace("/latin@", "/postgres@");
    let config = format!("[storage]\nurl = \"{url}\"");
    let config = Config::parse(Path::new("s.toml"), &config).unwrap();
    let error = Database::open(&config).await.unwrap_err().to_string();
    assert!(error.contains("ENCODING 'UTF8'"), "{error}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: CONTRIBUTING.md says how to run it"]
async fn the_database_restarts() {
    let postgres = Postgres::start();
    let storage = open(&postgres).await.unwrap();
    storage.open(&S).await.unwrap();
    storage.write(set("before")).await.unwrap();
    postgres.stop();
    // Reads and writes wait while the database restarts.
    let (written, read, ()) = tokio::join!(
        storage.write(set("meanwhile")),
        storage.get(partition("u"), "before"),
        async {
            let resumed = tokio::task::spawn_blocking(move || {
                postgres.resume();
                postgres
            });
            let postgres = resumed.await.unwrap();
            // The database stops again, so that later reads and writes fail.
            storage.write(set("after")).await.unwrap();
            let stopped = tokio::task::spawn_blocking(move || drop(postgres));
            stopped.await.unwrap();
        }
    );
    assert!(!written.unwrap());
    assert_eq!(read.unwrap(), Some(vec![1]));
    let (written, read) =
        tokio::join!(storage.write(set("never")), storage.get(partition("u"), "before"));
    for error in [written.unwrap_err(), read.unwrap_err()] {
        assert!(matches!(error, StorageError::Unreachable(_)), "{error:?}");
        assert!(error.to_string().starts_with("the database cannot be reached: "), "{error}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: CONTRIBUTING.md says how to run it"]
async fn the_database_stalls() {
    let postgres = Postgres::start();
    let storage = open(&postgres).await.unwrap();
    storage.open(&S).await.unwrap();
    storage.write(set("before")).await.unwrap();
    let beside = open(&postgres).await.unwrap();
    let mut connection = beside.writing_connection().await;
    let mut lock = connection.begin_with(crate::storage::postgres::DIALECT.begin).await.unwrap();
    sqlx::raw_sql("LOCK TABLE map").execute(&mut *lock).await.unwrap();
    let (written, also, read) = tokio::join!(
        storage.write(set("late")),
        storage.write(set("late, too")),
        storage.get(partition("u"), "before"),
    );
    for error in [written.unwrap_err(), also.unwrap_err(), read.unwrap_err()] {
        assert!(matches!(error, StorageError::Unreachable(_)), "{error:?}");
    }
    assert_eq!(storage.stats().queued, 0);
    lock.rollback().await.unwrap();
    storage.write(set("after")).await.unwrap();
    let keys = storage.list(partition("u"), None, 9).await.unwrap();
    assert_eq!(keys.iter().map(|entry| &*entry.key).collect::<Vec<_>>(), ["after", "before"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: CONTRIBUTING.md says how to run it"]
async fn commits_wait_for_the_disk() {
    let postgres = Postgres::start();
    let storage = open(&postgres).await.unwrap();
    storage.open(&S).await.unwrap();
    let mut connection = storage.writing_connection().await;
    let durable: String = sqlx::query_scalar("SELECT current_setting('synchronous_commit')")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(durable, "on");
}
