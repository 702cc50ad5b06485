//! Tests the migration of stores, and the refusal of newer stores.

use std::time::UNIX_EPOCH;

use super::*;

const STORE: &str = "versioned";
const ONE: Schema = Schema { store: STORE, version: 1, migrations: &[] };
const TWO: Schema = Schema { store: STORE, version: 2, migrations: &[shout] };
const THREE: Schema = Schema { store: STORE, version: 3, migrations: &[shout, rename] };
const FAILING: Schema = Schema { store: STORE, version: 3, migrations: &[shout, fail] };
const LEAVING: Schema = Schema { store: STORE, version: 3, migrations: &[shout, leave] };
const WRONG: Schema = Schema { store: STORE, version: 3, migrations: &[shout] };
const ZERO: Schema = Schema { store: STORE, version: 0, migrations: &[] };

type Migrated = Result<Option<Row>, Box<dyn std::error::Error + Send + Sync>>;

/// Makes values upper-case, and removes empty values.
fn shout(mut row: Row) -> Migrated {
    row.value.make_ascii_uppercase();
    Ok(Some(row).filter(|row| !row.value.is_empty()))
}

/// Moves every row to an owner and a key that a row of the old version may have.
fn rename(mut row: Row) -> Migrated {
    row.key = row.key.map(|key| format!("{key}+"));
    row.owner.push('+');
    Ok(Some(row))
}

fn fail(row: Row) -> Migrated {
    if row.key.as_deref() == Some("900") { Err("no good".into()) } else { rename(row) }
}

fn leave(mut row: Row) -> Migrated {
    row.host = "elsewhere.example".into();
    Ok(Some(row))
}

/// Migrates one store from version to version.
pub(super) async fn run(storage: &dyn Storage) {
    storage.open(&S).await.unwrap();
    storage.open(&ONE).await.unwrap();
    let (old, new) = (Partition::new(HOST, STORE, "u"), Partition::new(HOST, STORE, "u+"));
    let mut batch: Vec<Write> = (0..1100)
        .map(|number: u32| Write::set(old, &format!("{number:03}"), b"value".to_vec()))
        .collect();
    batch.extend((0..1100).map(|_| Write::append(old, UNIX_EPOCH, b"value".to_vec(), None)));
    batch.push(Write::set(old, "empty", Vec::new()));
    batch.push(Write::append(old, UNIX_EPOCH, Vec::new(), None));
    batch.push(Write::set(partition("u"), "k", b"value".to_vec()));
    storage.write(batch).await.unwrap();
    let everything = async |partition| {
        let map = storage.list(partition, None, 9999).await.unwrap();
        (map, storage.page(partition, Page::oldest(9999)).await.unwrap())
    };
    let before = everything(old).await;
    assert_eq!((before.0.len(), before.1.len()), (1101, 1101));

    // A migration by one version. A second start has nothing to migrate.
    storage.open(&TWO).await.unwrap();
    let second = everything(old).await;
    assert_eq!((second.0.len(), second.1.len()), (1100, 1100));
    assert!(second.0.iter().all(|entry| entry.value == b"VALUE"));
    assert!(second.1.iter().zip(&before.1).all(|(a, b)| a.id == b.id && a.at == b.at));
    storage.open(&TWO).await.unwrap();

    // A migration that fails changes nothing.
    let error = storage.open(&FAILING).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the data in store \"versioned\" cannot be migrated from version 2 to 3 and is unchanged: \
         a value of \"u\" on example.com key \"900\": no good"
    );
    let error = storage.open(&LEAVING).await.unwrap_err().to_string();
    assert!(error.ends_with("the migration changes the host of the value"), "{error}");
    assert_eq!(everything(old).await, second);
    assert!(matches!(storage.open(&WRONG).await, Err(StorageError::Schema { .. })));
    assert!(matches!(storage.open(&ZERO).await, Err(StorageError::Schema { .. })));

    storage.open(&THREE).await.unwrap();
    assert_eq!(everything(old).await, (Vec::new(), Vec::new()));
    let third = everything(new).await;
    assert_eq!((third.0.len(), third.1.len()), (1100, 1100));
    assert_eq!(third.0[0], Entry { key: "000+".into(), value: b"VALUE".to_vec() });

    // An older server is refused.
    let error = storage.open(&TWO).await.unwrap_err();
    assert!(matches!(error, StorageError::NewerStore { found: 3, known: 2, .. }));
    let error = error.to_string();
    assert!(error.contains("\"versioned\" has version 3"), "{error}");
    assert!(error.contains("update this server"), "{error}");
    assert_eq!(everything(new).await, third);
    // Another store is not affected.
    assert_eq!(storage.get(partition("u"), "k").await.unwrap(), Some(b"value".to_vec()));
}
