//! Accounts on a storage in memory, and an import of several batches on a real one.

use super::*;
use crate::storage::{Database, Memory};

fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

async fn accounts() -> AccountStore {
    AccountStore::open(Arc::new(Memory::new()), 4096, 2).await.unwrap()
}

#[tokio::test]
async fn the_life_of_an_account() {
    let accounts = accounts().await;
    let alice = jid("Alice@Example.com");
    accounts.create(&alice, "wonderland").await.unwrap();
    let again = accounts.create(&alice, "x").await.unwrap_err();
    assert_eq!(again.to_string(), "the account alice@example.com exists already");
    assert!(accounts.exists(&alice).await.unwrap());
    assert!(!accounts.exists(&jid("bob@example.com")).await.unwrap());
    assert!(!accounts.exists(&jid("example.com")).await.unwrap());
    assert!(accounts.verify("example.com", "ALICE", "wonderland").await.unwrap());
    assert!(!accounts.verify("example.com", "alice", "Wonderland").await.unwrap());
    assert!(!accounts.verify("example.com", "bob", "wonderland").await.unwrap());
    assert!(!accounts.verify("other.example", "alice", "wonderland").await.unwrap());

    accounts.set_password(&alice, "looking-glass").await.unwrap();
    assert!(!accounts.verify("example.com", "alice", "wonderland").await.unwrap());
    assert!(accounts.verify("example.com", "alice", "looking-glass").await.unwrap());
    assert_eq!(accounts.list("example.com").await.unwrap(), ["alice"]);

    let partitions = ["alice", "bob", ""].map(|owner| Partition::new("example.com", "s", owner));
    let kept = partitions.map(|partition| Write::set(partition, "k", Vec::new())).into();
    accounts.storage.write(kept).await.unwrap();
    accounts.remove(&alice).await.unwrap();
    for (partition, is_there) in partitions.into_iter().zip([false, true, true]) {
        let value = accounts.storage.get(partition, "k").await.unwrap();
        assert_eq!(value.is_some(), is_there, "{partition:?}");
    }
    for missing in [accounts.remove(&alice).await, accounts.set_password(&alice, "x").await] {
        assert_eq!(missing.unwrap_err().to_string(), "there is no account alice@example.com");
    }
}

#[tokio::test]
async fn passwords_are_prepared_and_refused() {
    let accounts = accounts().await;
    // SASLprep: a soft hyphen vanishes, a no-break space becomes a space.
    accounts.create(&jid("a@example.com"), "I\u{ad}X\u{a0}y").await.unwrap();
    assert!(accounts.verify("example.com", "a", "IX y").await.unwrap());
    for (password, error) in [("", "the password is empty"), ("\u{ad}", "the password is empty")] {
        let refused = accounts.create(&jid("b@example.com"), password).await.unwrap_err();
        assert_eq!(refused.to_string(), error);
    }
    assert!(accounts.create(&jid("b@example.com"), "\u{7}").await.is_err());
    assert!(accounts.create(&jid("example.com"), "x").await.is_err());
    assert!(!accounts.verify("example.com", "a", "\u{7}").await.unwrap());
}

#[tokio::test]
async fn unknown_accounts_look_like_known_ones() {
    let storage = Arc::new(Memory::new());
    let accounts = AccountStore::open(storage.clone(), 4096, 1).await.unwrap();
    let again = AccountStore::open(storage, 4096, 1).await.unwrap();
    accounts.create(&jid("alice@example.com"), "x").await.unwrap();
    for hash in ScramHash::ALL {
        let real = accounts.credentials("example.com", "alice", hash).await.unwrap();
        let made_up = accounts.credentials("example.com", "bob", hash).await.unwrap();
        assert_eq!(real.salt.len(), made_up.salt.len());
        assert_eq!(real.stored_key.len(), made_up.stored_key.len());
        assert_eq!(real.iterations, made_up.iterations);
        // The keys are the same after a restart and in another spelling of the name.
        assert_eq!(made_up, again.credentials("example.com", "Bob", hash).await.unwrap());
        let other = accounts.credentials("example.com", "carol", hash).await.unwrap();
        assert_ne!(made_up.salt, other.salt);
        // A name that no account can have gets a salt too.
        let odd = accounts.credentials("example.com", "a b@c", hash).await.unwrap();
        assert_eq!(odd.salt.len(), 16);
    }
}

#[tokio::test]
async fn keys_of_unknown_accounts_have_the_shapes_that_are_stored() {
    let storage = Arc::new(Memory::new());
    // The operator has raised the number of iterations when three quarters of the accounts existed.
    for (iterations, names) in [(1, 0..30), (2, 30..40)] {
        let accounts = AccountStore::open(storage.clone(), iterations, 1).await.unwrap();
        for name in names {
            accounts.create(&jid(&format!("user{name}@example.com")), "x").await.unwrap();
        }
    }
    let accounts = AccountStore::open(storage.clone(), 2, 1).await.unwrap();
    let iterations = async |name: &str, hash| {
        accounts.credentials("example.com", name, hash).await.unwrap().iterations
    };
    let mut old = 0;
    for name in 0..1000 {
        let name = format!("nobody{name}");
        let of_all = [
            iterations(&name, ScramHash::Sha1).await,
            iterations(&name, ScramHash::Sha256).await,
            iterations(&name, ScramHash::Sha512).await,
        ];
        assert!(of_all.iter().all(|one| *one == of_all[0]), "the keys of one account are alike");
        old += u32::from(of_all[0] == 1);
    }
    assert!((700..800).contains(&old), "{old} of 1000 are made up with the old number");
    // PLAIN's check of a password takes as many iterations.
    assert_eq!(iterations("user0", CHECKED_HASH).await, 1);
    assert_eq!(iterations("user39", CHECKED_HASH).await, 2);
    // A host without accounts has the number for new ones.
    let made_up = accounts.credentials("empty.example", "nobody", CHECKED_HASH).await.unwrap();
    assert_eq!((made_up.iterations, made_up.salt.len()), (2, 16));
}

#[tokio::test]
async fn an_import_reports_every_bad_line() {
    let accounts = accounts().await;
    accounts.create(&jid("old@example.com"), "x").await.unwrap();
    let list = "jid,password\n\
                alice@example.com,\"with, comma\"\n\
                bob@example.com,secret\n\
                \n\
                Alice@EXAMPLE.com,again\n\
                no-at-sign,secret\n\
                carol@elsewhere.example,secret\n\
                dave@example.com\n\
                old@example.com,hunter2\n\
                eve@example.com,\n\
                b\u{7}d@example.com,secret\r\n\
                frank@example.com,\"open\n\
                grace@example.com,secret\r\n\
                heidi@example.com, blanks \r\n\
                ivan@example.com,\"quoted \" \n\
                \t\n";
    let report = accounts.import(list.as_bytes(), |host| host == "example.com").await.unwrap();
    assert_eq!(report.imported, 5);
    let problems: Vec<_> =
        report.problems.iter().map(|p| format!("{}: {}", p.line, p.message)).collect();
    assert_eq!(
        problems[..6],
        [
            "5: alice@example.com is in line 2 already",
            "6: no-at-sign is not an account (expected user@host)",
            "7: the host elsewhere.example is not in the config",
            "8: expected jid,password, found 1 field(s)",
            "9: the account old@example.com exists already",
            "10: the password is empty",
        ]
    );
    assert!(problems[6].starts_with("11: "), "{}", problems[6]);
    assert_eq!(problems[7], "12: a quote is not closed at the end of the line");
    assert_eq!(problems.len(), 8);
    assert!(accounts.verify("example.com", "alice", "with, comma").await.unwrap());
    assert!(accounts.verify("example.com", "bob", "secret").await.unwrap());
    assert!(accounts.verify("example.com", "grace", "secret").await.unwrap());
    assert!(accounts.verify("example.com", "heidi", " blanks ").await.unwrap());
    assert!(accounts.verify("example.com", "ivan", "quoted ").await.unwrap());
    assert!(!accounts.verify("example.com", "old", "hunter2").await.unwrap());
}

#[tokio::test]
async fn an_import_of_several_batches() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(Database::sqlite(folder.path()).await.unwrap());
    // One iteration, because the test is about batches.
    let accounts = AccountStore::open(storage, 1, 1).await.unwrap();
    let list: String = (0..1203).map(|n| format!("user{n}@example.com,p{n}\n")).collect();
    let report = accounts.import(list.as_bytes(), |_| true).await.unwrap();
    assert_eq!((report.imported, report.problems.len()), (1203, 0));
    assert_eq!(accounts.list("example.com").await.unwrap().len(), 1203);
    assert!(accounts.verify("example.com", "user1202", "p1202").await.unwrap());
}

#[test]
fn nothing_secret_is_shown() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let accounts = runtime.block_on(accounts());
    assert_eq!(format!("{accounts:?}"), "AccountStore { iterations: 4096, .. }");
}
