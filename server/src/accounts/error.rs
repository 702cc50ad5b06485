//! What can go wrong with accounts.

use jid::BareJid;
use thiserror::Error;

use crate::storage::StorageError;

/// Why something about an account could not be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccountStoreError {
    /// It exists already.
    #[error("the account {0} exists already")]
    Exists(BareJid),
    /// It does not exist.
    #[error("there is no account {0}")]
    NotFound(BareJid),
    /// The JID is a host's.
    #[error("{0} has no name in front of an @")]
    NoName(BareJid),
    /// The password cannot be one.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The list of accounts to import cannot be read.
    #[error("cannot read the list: {0}")]
    List(#[from] std::io::Error),
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// A thread died.
    #[error("a task that hashes passwords failed")]
    Task,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A password that cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// There is nothing in it.
    #[error("the password is empty")]
    Empty,
    /// SASLprep (RFC 4013) refuses it.
    #[error("the password has characters that passwords must not have (RFC 4013)")]
    Characters,
}
