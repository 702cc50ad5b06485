//! The accounts as modules see them.

use event_core::services;
use jid::BareJid;

use super::{AccountError, Accounts, ScramHash, ScramKeys};
use crate::storage::{BoxFuture, StorageError, StorageResult};

impl services::Accounts for Accounts {
    fn exists<'a>(&'a self, account: &'a BareJid) -> BoxFuture<'a, StorageResult<bool>> {
        Box::pin(async { Ok(self.exists(account).await?) })
    }

    fn credentials<'a>(
        &'a self,
        host: &'a str,
        username: &'a str,
        hash: ScramHash,
    ) -> BoxFuture<'a, StorageResult<ScramKeys>> {
        Box::pin(async move { Ok(self.credentials(host, username, hash).await?) })
    }

    fn verify<'a>(
        &'a self,
        host: &'a str,
        username: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, StorageResult<bool>> {
        Box::pin(async { Ok(self.verify(host, username, password).await?) })
    }
}

impl From<AccountError> for StorageError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Storage(error) => error,
            error => Self::Backend(Box::new(error)),
        }
    }
}
