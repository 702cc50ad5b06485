//! Errors of accounts.

use jid::BareJid;
use thiserror::Error;

use crate::storage::StorageError;

/// Why an operation on an account failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccountStoreError {
    /// The account exists already.
    #[error("the account {0} exists already")]
    Exists(BareJid),
    /// The account does not exist.
    #[error("there is no account {0}")]
    NotFound(BareJid),
    /// The JID is a host's, not an account's.
    #[error("{0} is not an account (expected user@host)")]
    NoName(BareJid),
    /// The password is refused.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The list of accounts to import cannot be read.
    #[error("cannot read the list of accounts: {0}")]
    List(#[from] std::io::Error),
    /// The kernel gives no random numbers.
    #[error("the kernel gives no random numbers")]
    Random,
    /// A task that hashes passwords failed.
    #[error("a task that hashes passwords failed")]
    Task,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The password is empty.
    #[error("the password is empty")]
    Empty,
    /// SASLprep (RFC 4013) refuses it.
    #[error("the password has characters that passwords must not have (RFC 4013)")]
    Characters,
}
