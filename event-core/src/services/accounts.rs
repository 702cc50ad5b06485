//! The accounts of a host, as a service.

use std::fmt;

use jid::BareJid;
use thiserror::Error;

use crate::{
    protocol::stanza_error::StanzaError,
    session::session::Session,
    storage::{StorageError, StorageResult},
    util::future::BoxFuture,
};

/// The accounts of a host and their passwords.
///
/// An implementation must not reveal whether an account exists: answers, salts and response times
/// must be the same for an unknown account and for a wrong password. Implementations whose accounts
/// are managed by another system need not implement `create`, `set_password` and `remove`, which
/// then fail with [`AccountError::Elsewhere`].
pub trait Accounts: Send + Sync {
    /// Whether an account exists.
    ///
    /// # Errors
    /// The storage failed.
    fn exists<'a>(&'a self, account: &'a BareJid) -> BoxFuture<'a, StorageResult<bool>>;

    /// A number that changes after each change of the account's password and after its removal;
    /// `None` if unknown. A login ends when the number changes between the time before the keys
    /// are read and the time after a resource is bound, so that nobody stays logged in with an old
    /// password.
    fn generation(&self, account: &BareJid) -> Option<u64> {
        let _ = account;
        None
    }

    /// The SCRAM keys of an account (RFC 5802 §3). An unknown account gets generated keys, which
    /// are the same at each call for one name and match no password.
    ///
    /// # Errors
    /// The storage failed.
    fn credentials<'a>(
        &'a self,
        host: &'a str,
        username: &'a str,
        hash: ScramHash,
    ) -> BoxFuture<'a, StorageResult<ScramKeys>>;

    /// Whether `password`, in plain text, is the password of the account.
    ///
    /// # Errors
    /// The storage failed.
    fn verify<'a>(
        &'a self,
        host: &'a str,
        username: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, StorageResult<bool>>;

    /// Creates an account without firing events.
    ///
    /// # Errors
    /// The account exists, the password is not valid, or the storage failed.
    fn create<'a>(
        &'a self,
        account: &'a BareJid,
        password: &'a str,
    ) -> BoxFuture<'a, Result<(), AccountError>> {
        let _ = (account, password);
        managed_elsewhere()
    }

    /// Changes a password, fires `user-password-changed`, and closes the account's sessions except
    /// `keep` with the stream error `reset`.
    ///
    /// # Errors
    /// The account does not exist, the password is not valid, or the storage failed.
    fn set_password<'a>(
        &'a self,
        account: &'a BareJid,
        password: &'a str,
        keep: Option<&'a Session>,
    ) -> BoxFuture<'a, Result<(), AccountError>> {
        let _ = (account, password, keep);
        managed_elsewhere()
    }

    /// Removes an account: ends the account's sessions, fires `user-deleted`, waits for the
    /// handlers, then purges the account and all of its data in one transaction.
    ///
    /// The streams are closed with `not-authorized`. Only the stream of `requester` stays open: the
    /// caller sends the answer ([`Session::send_nonza`]) and closes the stream.
    ///
    /// # Errors
    /// The account does not exist, or the storage failed. The account is then unchanged, but its
    /// sessions may have ended.
    fn remove<'a>(
        &'a self,
        account: &'a BareJid,
        requester: Option<&'a Session>,
    ) -> BoxFuture<'a, Result<(), AccountError>> {
        let _ = (account, requester);
        managed_elsewhere()
    }
}

fn managed_elsewhere<'a>() -> BoxFuture<'a, Result<(), AccountError>> {
    Box::pin(async { Err(AccountError::Elsewhere) })
}

/// The reason why an operation on an account failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The account exists already.
    #[error("the account exists already")]
    Exists,
    /// The account does not exist.
    #[error("there is no such account")]
    NotFound,
    /// The password is not valid, for the given reason.
    #[error("{0}")]
    Password(Box<str>),
    /// The accounts are managed by another system.
    #[error("another system manages the accounts")]
    Elsewhere,
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The hash function of a SCRAM mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScramHash {
    /// SHA-1 (RFC 5802).
    Sha1,
    /// SHA-256 (RFC 7677).
    Sha256,
    /// SHA-512.
    Sha512,
}

impl ScramHash {
    /// All hash functions.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The length of the output in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// The data that a server stores to verify a password with SCRAM (RFC 5802 §3). A client cannot log
/// in with this data.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// The hash function.
    pub hash: ScramHash,
    /// The number of iterations.
    pub iterations: u32,
    /// The salt.
    pub salt: Vec<u8>,
    /// `H(ClientKey)`.
    pub stored_key: Vec<u8>,
    /// `HMAC(SaltedPassword, "Server Key")`.
    pub server_key: Vec<u8>,
}

/// Omits the keys, because anyone who has the server key can impersonate this server.
impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys")
            .field("hash", &self.hash)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

impl From<AccountError> for StanzaError {
    fn from(error: AccountError) -> Self {
        let text = error.to_string();
        match error {
            AccountError::Exists => Self::conflict().text(text),
            AccountError::NotFound => Self::item_not_found().text(text),
            AccountError::Password(_) => Self::not_acceptable().text(text),
            AccountError::Elsewhere => Self::not_allowed().text(text),
            AccountError::Storage(error) => error.into(),
        }
    }
}
