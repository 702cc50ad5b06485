//! What holds for every storage, and what holds for the file.

use std::sync::Arc;

use super::*;

const HOST: &str = "example.com";

async fn behaves(storage: &dyn KeyValue) {
    assert_eq!(storage.get(HOST, "s", "a").await.unwrap(), None);
    storage.set(HOST, "s", "a", b"1".to_vec()).await.unwrap();
    storage.set(HOST, "s", "a", b"2".to_vec()).await.unwrap();
    storage.set(HOST, "s", "ä", vec![0, 255]).await.unwrap();
    storage.set(HOST, "s", "", Vec::new()).await.unwrap();
    storage.set(HOST, "t", "b", b"3".to_vec()).await.unwrap();
    storage.set("other.example", "s", "c", b"4".to_vec()).await.unwrap();
    assert_eq!(storage.get(HOST, "s", "a").await.unwrap(), Some(b"2".to_vec()));
    assert_eq!(storage.get(HOST, "s", "").await.unwrap(), Some(Vec::new()));
    assert_eq!(storage.get(HOST, "s", "ä").await.unwrap(), Some(vec![0, 255]));

    let keys = |entries: Vec<Entry>| entries.into_iter().map(|e| e.key).collect::<Vec<_>>();
    assert_eq!(keys(storage.list(HOST, "s", None, 10).await.unwrap()), ["", "a", "ä"]);
    assert_eq!(keys(storage.list(HOST, "s", Some(""), 1).await.unwrap()), ["a"]);
    assert_eq!(keys(storage.list(HOST, "s", Some("a"), 9).await.unwrap()), ["ä"]);
    assert_eq!(storage.list(HOST, "u", None, 10).await.unwrap(), []);

    assert!(storage.delete(HOST, "s", "").await.unwrap());
    assert!(!storage.delete(HOST, "s", "").await.unwrap());

    // A batch that fails leaves nothing, and a batch beside it is not touched.
    let failing = vec![
        Write::set(HOST, "s", "new", b"5".to_vec()),
        Write::delete(HOST, "t", "b"),
        Write::create(HOST, "s", "a", b"6".to_vec()),
    ];
    let beside = vec![Write::create(HOST, "s", "beside", b"7".to_vec())];
    let (failed, written) = tokio::join!(storage.write(failing), storage.write(beside));
    assert!(matches!(failed, Err(StorageError::Exists(name)) if name.key == "a"));
    assert!(!written.unwrap());
    assert_eq!(storage.get(HOST, "s", "new").await.unwrap(), None);
    assert_eq!(storage.get(HOST, "t", "b").await.unwrap(), Some(b"3".to_vec()));
    assert_eq!(storage.get(HOST, "s", "beside").await.unwrap(), Some(b"7".to_vec()));
}

#[tokio::test]
async fn memory() {
    behaves(&Memory::new()).await;
}

#[tokio::test]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let storage = Sqlite::open(&data).await.unwrap();
    behaves(&storage).await;
    storage.close().await;

    let again = Sqlite::open(&data).await.unwrap();
    assert_eq!(again.get(HOST, "s", "beside").await.unwrap(), Some(b"7".to_vec()));
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
async fn many_writers_and_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(Sqlite::open(folder.path()).await.unwrap());
    let writers: Vec<_> = (0..300)
        .map(|number: u32| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move {
                storage.set(HOST, "s", &format!("{number:03}"), vec![1]).await.unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    // A second process sees what was acknowledged.
    let beside = Sqlite::open(folder.path()).await.unwrap();
    assert_eq!(beside.list(HOST, "s", None, 1000).await.unwrap().len(), 300);
    beside.set(HOST, "s", "beside", vec![2]).await.unwrap();
    beside.close().await;
    assert_eq!(storage.get(HOST, "s", "beside").await.unwrap(), Some(vec![2]));
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    use sqlx::Connection;

    let folder = tempfile::tempdir().unwrap();
    Sqlite::open(folder.path()).await.unwrap().close().await;
    let path = folder.path().join(DATABASE_FILE);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("UPDATE schema SET version = 2").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();

    let error = Sqlite::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, StorageError::Newer { found: 2, known: 1, .. }));
    assert!(error.to_string().contains("newer version of Spondee"));
}

#[tokio::test]
async fn commits_wait_for_the_disk() {
    use sqlx::Connection;

    let folder = tempfile::tempdir().unwrap();
    Sqlite::open(folder.path()).await.unwrap().close().await;
    let options = sqlite::connect_options(&folder.path().join(DATABASE_FILE));
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let synchronous: i64 =
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut connection).await.unwrap();
    let journal: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await.unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
    connection.close().await.unwrap();
}

#[test]
fn values_are_not_shown() {
    let write = Write::set(HOST, "s", "a", b"password".to_vec());
    assert!(!format!("{write:?}").contains("112"));
}
