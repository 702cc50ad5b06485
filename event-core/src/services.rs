//! What modules offer each other on a host, as traits: [`Host::provide`](crate::Host::provide)
//! and [`Host::service`](crate::Host::service).

use jid::BareJid;

use crate::{BoxFuture, storage::StorageError};

/// The accounts of a host; the server provides it.
pub trait Accounts: Send + Sync {
    /// Whether there is such an account.
    fn exists<'a>(&'a self, account: &'a BareJid) -> BoxFuture<'a, Result<bool, StorageError>>;
}
