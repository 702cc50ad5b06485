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

/// Who may log in to a host.
///
/// Whoever implements it does not tell an unknown account from a wrong password: not by the
/// answer, not by the salt, not by the time it takes. Accounts that are managed elsewhere can do
/// without the last three: they answer [`AccountError::Elsewhere`].
pub trait Accounts: Send + Sync {
    /// Whether an account exists.
    fn exists<'a>(&'a self, account: &'a BareJid) -> BoxFuture<'a, StorageResult<bool>>;

    /// A number that is another after each removal of an account, where that is known: while it
    /// stays the same, an account that existed still does.
    fn removals(&self) -> Option<u64> {
        None
    }

    /// The keys to run SCRAM with. For an account that does not exist they are made up: always
    /// the same for one name, and matching no password.
    fn credentials<'a>(
        &'a self,
        host: &'a str,
        username: &'a str,
        hash: ScramHash,
    ) -> BoxFuture<'a, StorageResult<ScramKeys>>;

    /// Whether a password in plain text is the account's.
    fn verify<'a>(
        &'a self,
        host: &'a str,
        username: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, StorageResult<bool>>;

    /// Makes an account, without any event.
    fn create<'a>(
        &'a self,
        account: &'a BareJid,
        password: &'a str,
    ) -> BoxFuture<'a, Result<(), AccountError>> {
        let _ = (account, password);
        elsewhere()
    }

    /// Changes a password, fires `user-password-changed`, and closes the sessions of the account
    /// with `reset`, save for the one that `stays`.
    fn set_password<'a>(
        &'a self,
        account: &'a BareJid,
        password: &'a str,
        stays: Option<&'a Session>,
    ) -> BoxFuture<'a, Result<(), AccountError>> {
        let _ = (account, password, stays);
        elsewhere()
    }

    /// Removes an account: ends its sessions, fires `user-deleted` and waits for the handlers,
    /// then purges the account and all that is stored for it in one transaction.
    ///
    /// The streams are closed with `not-authorized`, save for that of the session that `asks`,
    /// which is for the caller to answer on ([`Session::send_nonza`]) and to close. An error after
    /// the sessions have ended leaves the account as it was, but nobody connected to it.
    fn remove<'a>(
        &'a self,
        account: &'a BareJid,
        asks: Option<&'a Session>,
    ) -> BoxFuture<'a, Result<(), AccountError>> {
        let _ = (account, asks);
        elsewhere()
    }
}

fn elsewhere<'a>() -> BoxFuture<'a, Result<(), AccountError>> {
    Box::pin(async { Err(AccountError::Elsewhere) })
}

/// Why an account is not as it was to be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccountError {
    /// It exists already.
    #[error("the account exists already")]
    Exists,
    /// It does not exist.
    #[error("there is no such account")]
    NotFound,
    /// The password cannot be one, for the reason given.
    #[error("{0}")]
    Password(Box<str>),
    /// The accounts are managed elsewhere.
    #[error("accounts are managed elsewhere")]
    Elsewhere,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A hash function SCRAM is used with.
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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The length of its output in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// What a server keeps of a password: enough to check it, not enough to use it.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// The hash function.
    pub hash: ScramHash,
    /// How often it was applied.
    pub iterations: u32,
    /// The salt.
    pub salt: Vec<u8>,
    /// `H(ClientKey)`.
    pub stored_key: Vec<u8>,
    /// `HMAC(SaltedPassword, "Server Key")`.
    pub server_key: Vec<u8>,
}

/// The keys themselves are left out: whoever has the server key can pose as this server.
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
