//! Tests of every storage, and tests of SQLite and of PostgreSQL alone.

mod migrations;
mod postgres;
mod sqlite;
mod suite;

use super::*;

const HOST: &str = "example.com";

/// The partition of an owner in store `s`.
const fn partition(owner: &str) -> Partition<'_> {
    Partition::new(HOST, "s", owner)
}

const S: Schema = Schema { store: "s", version: 1, migrations: &[] };
const T: Schema = Schema { store: "t", version: 1, migrations: &[] };

#[tokio::test]
async fn memory() {
    suite::run(&Memory::new()).await;
    migrations::run(&Memory::new()).await;
}

#[test]
fn values_are_not_shown() {
    let secret = b"password".to_vec();
    for write in [
        Write::set(partition("a"), "k", secret.clone()),
        Write::append(partition("a"), std::time::UNIX_EPOCH, secret, None),
    ] {
        assert!(!format!("{write:?}").contains("112"));
    }
}
