//! The tests that every storage must pass.

use std::time::{Duration, SystemTime};

use super::*;

/// Runs all tests on an empty storage.
pub(super) async fn run(storage: &dyn Storage) {
    storage.open(&S).await.unwrap();
    storage.open(&T).await.unwrap();
    map(storage).await;
    owners(storage).await;
    archive(storage).await;
    transactions(storage).await;
    names(storage).await;
    purge(storage).await;
    concurrency(storage).await;
}

async fn write(storage: &dyn Storage, write: Write) -> StorageResult<bool> {
    storage.write(vec![write]).await
}

async fn set(storage: &dyn Storage, partition: Partition<'_>, key: &str, value: &[u8]) {
    assert!(!write(storage, Write::set(partition, key, value.to_vec())).await.unwrap());
}

async fn keys(
    storage: &dyn Storage,
    partition: Partition<'_>,
    after: Option<&str>,
    limit: u32,
) -> Vec<String> {
    let entries = storage.list(partition, after, limit).await.unwrap();
    let listed: Vec<_> = entries.into_iter().map(|entry| entry.key).collect();
    assert_eq!(storage.keys(partition, after, limit).await.unwrap(), listed);
    listed
}

async fn map(storage: &dyn Storage) {
    let ann = partition("ann");
    assert_eq!(storage.get(ann, "a").await.unwrap(), None);
    set(storage, ann, "a", b"1").await;
    set(storage, ann, "a", b"2").await;
    set(storage, ann, "ä", &[0, 255]).await;
    set(storage, ann, "B", b"B").await;
    set(storage, ann, "a b", b"space").await;
    set(storage, ann, "", b"").await;
    set(storage, partition("anna"), "z", b"of another owner").await;
    set(storage, partition(""), "z", b"of the host").await;
    set(storage, Partition::new(HOST, "t", "ann"), "b", b"in another store").await;
    set(storage, Partition::new("other.example", "s", "ann"), "c", b"on another host").await;
    assert_eq!(storage.get(ann, "a").await.unwrap(), Some(b"2".to_vec()));
    assert_eq!(storage.get(ann, "").await.unwrap(), Some(Vec::new()));
    assert_eq!(storage.get(ann, "ä").await.unwrap(), Some(vec![0, 255]));
    assert_eq!(storage.get(ann, "A").await.unwrap(), None);

    // Sorted by bytes, not by the rules of a language.
    assert_eq!(keys(storage, ann, None, 10).await, ["", "B", "a", "a b", "ä"]);
    assert_eq!(keys(storage, ann, Some(""), 2).await, ["B", "a"]);
    assert_eq!(keys(storage, ann, Some("a"), 9).await, ["a b", "ä"]);
    assert_eq!(keys(storage, ann, Some("b"), 9).await, ["ä"]);
    assert_eq!(keys(storage, ann, Some("ä"), 9).await, [""; 0]);
    assert_eq!(keys(storage, ann, None, 0).await, [""; 0]);
    assert_eq!(keys(storage, partition("nobody"), None, 10).await, [""; 0]);
    let entry = Entry { key: "ä".into(), value: vec![0, 255] };
    assert_eq!(storage.list(ann, Some("b"), 1).await.unwrap(), [entry]);

    assert!(write(storage, Write::delete(ann, "")).await.unwrap());
    assert!(!write(storage, Write::delete(ann, "")).await.unwrap());
    assert_eq!(storage.get(ann, "").await.unwrap(), None);

    let large: Vec<u8> = (0..300_000u32).map(|byte| byte.to_le_bytes()[0]).collect();
    set(storage, ann, "large", &large).await;
    assert_eq!(storage.get(ann, "large").await.unwrap(), Some(large));
}

async fn owners(storage: &dyn Storage) {
    let archive = Write::append(partition("Zoe"), SystemTime::now(), b"1".to_vec(), None);
    write(storage, archive).await.unwrap();
    set(storage, partition("Zoe"), "also", b"in the map").await;
    for (after, limit, expected) in [
        (None, 10, &["", "Zoe", "ann", "anna"][..]),
        (Some(""), 2, &["Zoe", "ann"]),
        (Some("ann"), 2, &["anna"]),
        (Some("anna"), 2, &[]),
    ] {
        assert_eq!(storage.owners(HOST, "s", after, limit).await.unwrap(), expected);
    }
    assert_eq!(storage.owners(HOST, "t", None, 10).await.unwrap(), ["ann"]);
    assert_eq!(storage.owners("nowhere.example", "s", None, 10).await.unwrap(), [""; 0]);
}

async fn archive(storage: &dyn Storage) {
    let bob = partition("bob");
    let start = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
    let at = |number: u8| start + Duration::from_secs(number.into());
    for number in 0..5 {
        let append = Write::append(bob, at(number), vec![number], Some(5));
        write(storage, append).await.unwrap();
        let other = Write::append(partition("bo"), at(0), vec![99], None);
        write(storage, other).await.unwrap();
    }
    let append = Write::append(bob, at(5), vec![5], Some(5));
    let full = write(storage, append).await.unwrap_err();
    assert!(matches!(full, StorageError::Full(archive) if archive.owner == "bob"));
    let append = Write::append(partition("nobody"), at(5), vec![5], Some(0));
    assert!(matches!(write(storage, append).await, Err(StorageError::Full(_))));
    assert_eq!(storage.count(bob).await.unwrap(), 5);
    assert_eq!(storage.count(partition("nobody")).await.unwrap(), 0);

    let page = async |page: Page| storage.page(bob, page).await.unwrap();
    let values = |page: &[Archived]| page.iter().map(|a| a.value[0]).collect::<Vec<_>>();
    let all = page(Page::oldest(10)).await;
    assert_eq!(values(&all), [0, 1, 2, 3, 4]);
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert_eq!(all[3].at, at(3));
    assert_eq!(values(&page(Page::oldest(2)).await), [0, 1]);
    assert_eq!(values(&page(Page::newest(2)).await), [4, 3]);
    let (after, before) = (Some(all[0].id), Some(all[4].id));
    assert_eq!(values(&page(Page { after, ..Page::oldest(2) }).await), [1, 2]);
    assert_eq!(values(&page(Page { before, ..Page::newest(2) }).await), [3, 2]);
    assert_eq!(values(&page(Page { after, before, ..Page::newest(9) }).await), [3, 2, 1]);
    assert_eq!(storage.page(partition("nobody"), Page::oldest(9)).await.unwrap(), []);

    let up_to = |id| write(storage, Write::delete_up_to(bob, id));
    assert!(up_to(all[2].id).await.unwrap());
    assert!(!up_to(all[2].id).await.unwrap());
    assert_eq!(values(&page(Page::oldest(10)).await), [3, 4]);
    assert_eq!(storage.count(partition("bo")).await.unwrap(), 5);
    // The archive has room again. No id is used twice, even if the last entry was deleted.
    assert!(up_to(i64::MAX).await.unwrap());
    write(storage, Write::append(bob, at(6), vec![6], Some(1))).await.unwrap();
    let rest = page(Page::oldest(10)).await;
    assert_eq!(values(&rest), [6]);
    assert!(rest[0].id > all[4].id);
}

async fn transactions(storage: &dyn Storage) {
    let (cat, now) = (partition("cat"), SystemTime::now());
    set(storage, cat, "taken", b"1").await;
    write(storage, Write::append(cat, now, vec![1], None)).await.unwrap();
    // The last write of the batch fails, after writes of every kind, which all must be undone.
    let before = || {
        vec![
            Write::set(cat, "new", b"5".to_vec()),
            Write::set(cat, "taken", b"6".to_vec()),
            Write::delete(cat, "taken"),
            Write::create(cat, "taken", b"7".to_vec()),
            Write::require(cat, "new"),
            Write::append(cat, now, vec![2], Some(2)),
            Write::delete_up_to(cat, i64::MAX),
            Write::purge(HOST, "cat"),
            Write::set(cat, "after", b"8".to_vec()),
        ]
    };
    let failing = async |last: Write| {
        let batch = before().into_iter().chain([last]).collect();
        storage.write(batch).await.unwrap_err()
    };
    let error = failing(Write::create(cat, "after", Vec::new())).await;
    assert!(matches!(error, StorageError::Exists(name) if name == Name::new(cat, "after")));
    let error = failing(Write::require(cat, "taken")).await;
    assert!(matches!(error, StorageError::NotFound(name) if name == Name::new(cat, "taken")));
    let error = failing(Write::append(cat, now, vec![3], Some(0))).await;
    assert!(matches!(error, StorageError::Full(_)));
    assert_eq!(keys(storage, cat, None, 10).await, ["taken"]);
    assert_eq!(storage.get(cat, "taken").await.unwrap(), Some(b"1".to_vec()));
    let archived = storage.page(cat, Page::oldest(9)).await.unwrap();
    assert_eq!(archived.iter().map(|a| a.value[0]).collect::<Vec<_>>(), [1]);

    // A batch that is written at the same time as a failing batch is not affected.
    let beside = vec![Write::create(cat, "beside", b"7".to_vec())];
    let failing = [before(), vec![Write::create(cat, "after", Vec::new())]].concat();
    let (failed, written) = tokio::join!(storage.write(failing), storage.write(beside));
    assert!(failed.is_err());
    assert!(!written.unwrap());
    assert_eq!(keys(storage, cat, None, 10).await, ["beside", "taken"]);

    // Without the failing write, the whole batch is executed, in order.
    assert!(storage.write(before()).await.unwrap());
    assert_eq!(keys(storage, cat, None, 10).await, ["after"]);
    assert_eq!(storage.count(cat).await.unwrap(), 0);
    assert!(!storage.write(Vec::new()).await.unwrap());
}

async fn names(storage: &dyn Storage) {
    // Names of the greatest length, whose bytes do not compress.
    let mut noise = 7_u64;
    let mut text = |length: usize| -> String {
        let next = |_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'!' + u8::try_from((noise >> 33) % 90).unwrap())
        };
        (0..length).map(next).collect()
    };
    let owner = text(1023);
    let key = text(Partition::MAX_NAME - HOST.len() - 1 - owner.len());
    let long = partition(&owner);
    set(storage, long, &key, b"long").await;
    assert_eq!(storage.get(long, &key).await.unwrap(), Some(b"long".to_vec()));
    assert_eq!(keys(storage, long, None, 2).await, [key.as_str()]);
    let bad_owner = text(Partition::MAX_NAME);
    let longer = format!("{key}x");
    for (partition, key) in [
        (long, longer.as_str()),
        (partition("nul\0owner"), ""),
        (partition("cat"), "nul\0key"),
        (partition(&bad_owner), ""),
    ] {
        assert_eq!(storage.get(partition, key).await.unwrap(), None);
        assert_eq!(keys(storage, partition, Some(key), 9).await, [""; 0]);
        let batch =
            vec![Write::set(long, "beside", Vec::new()), Write::set(partition, key, Vec::new())];
        assert!(matches!(storage.write(batch).await, Err(StorageError::Name)));
        assert_eq!(storage.get(long, "beside").await.unwrap(), None);
    }
    let nul = partition("nul\0owner");
    assert_eq!(storage.count(nul).await.unwrap(), 0);
    assert_eq!(storage.page(nul, Page::oldest(1)).await.unwrap(), []);
    assert_eq!(storage.owners(HOST, "s", Some("nul\0"), 1).await.unwrap().len(), 0);
}

async fn purge(storage: &dyn Storage) {
    let (dan, now) = ("dan", SystemTime::now());
    for (host, store, owner) in
        [(HOST, "s", dan), (HOST, "t", dan), (HOST, "s", "dana"), ("other.example", "t", dan)]
    {
        let partition = Partition::new(host, store, owner);
        set(storage, partition, "a", b"1").await;
        set(storage, partition, "b", b"2").await;
        write(storage, Write::append(partition, now, vec![1], None)).await.unwrap();
    }
    assert!(write(storage, Write::purge(HOST, dan)).await.unwrap());
    assert!(!write(storage, Write::purge(HOST, dan)).await.unwrap());
    for (host, store, owner, left) in [
        (HOST, "s", dan, 0),
        (HOST, "t", dan, 0),
        (HOST, "s", "dana", 3),
        ("other.example", "t", dan, 3),
    ] {
        let partition = Partition::new(host, store, owner);
        let map = storage.list(partition, None, 9).await.unwrap().len() as u64;
        assert_eq!(map + storage.count(partition).await.unwrap(), left, "{partition:?}");
    }
}

/// Tasks write at the same time. Only one creates the value, and the archive keeps its limit.
async fn concurrency(storage: &dyn Storage) {
    let eve = partition("eve");
    let tasks = (0..300).map(|number: u32| async move {
        let value = number.to_be_bytes().to_vec();
        let batch = vec![
            Write::set(eve, &format!("{number:03}"), value.clone()),
            Write::append(eve, SystemTime::now(), value.clone(), Some(200)),
        ];
        let (pair, created, read) = tokio::join!(
            storage.write(batch),
            write(storage, Write::create(eve, "one", value)),
            storage.get(eve, "one"),
        );
        read.unwrap();
        (pair.is_ok(), created.is_ok())
    });
    let outcomes = join_all(tasks).await;
    assert_eq!(outcomes.iter().filter(|(pair, _)| *pair).count(), 200);
    assert_eq!(outcomes.iter().filter(|(_, created)| *created).count(), 1);
    assert_eq!(storage.count(eve).await.unwrap(), 200);
    assert_eq!(keys(storage, eve, None, 1000).await.len(), 201);
    let archived = storage.page(eve, Page::oldest(1000)).await.unwrap();
    let mut stored: Vec<_> = archived.into_iter().map(|archived| archived.value).collect();
    let entries = storage.list(eve, None, 200).await.unwrap();
    stored.sort();
    assert_eq!(stored, entries.into_iter().map(|entry| entry.value).collect::<Vec<_>>());
}

async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut is_pending = false;
        for (future, output) in futures.iter_mut().filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                std::task::Poll::Ready(done) => *output = Some(done),
                std::task::Poll::Pending => is_pending = true,
            }
        }
        if is_pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}
