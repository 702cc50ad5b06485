//! The accounts of a host as a service for modules. A removal and a change of the password also
//! fire an event and end sessions.

use std::sync::{Arc, Weak};

use event_core::{
    Core, Host, HostContext, Session, SessionState, StreamError,
    events::{UserDeleted, UserPasswordChanged},
    services::{self, ScramHash, ScramKeys},
};
use jid::BareJid;

use super::{AccountStore, AccountStoreError};
use crate::storage::{BoxFuture, StorageError, StorageResult};

/// The accounts of a running host.
#[derive(Debug)]
pub struct HostAccounts {
    accounts: AccountStore,
    core: Weak<Core>,
    host: Weak<Host>,
}

impl HostAccounts {
    /// Offers the accounts to the modules of `host`.
    pub(crate) fn provide(accounts: &AccountStore, host: &HostContext) {
        // Weak references, because the host holds its services.
        let core = host.core().map(|core| Arc::downgrade(&core)).unwrap_or_default();
        let (accounts, weak) = (accounts.clone(), Arc::downgrade(host.host()));
        let service = Self { accounts, core, host: weak };
        host.provide::<dyn services::Accounts>(Arc::new(service));
    }

    /// The running host and the username, if the account belongs to this host.
    fn place<'a>(
        &self,
        account: &'a BareJid,
    ) -> Result<(HostContext, &'a str), services::AccountError> {
        let username = account.node().map(|node| node.as_str());
        let host = self.core.upgrade().zip(self.host.upgrade());
        let host = host.map(|(core, host)| HostContext::new(&core, &host));
        let host = host.filter(|host| host.name() == account.domain().as_str());
        host.zip(username).ok_or(services::AccountError::NotFound)
    }

    async fn set_password(
        &self,
        account: &BareJid,
        password: &str,
        stays: Option<&Session>,
    ) -> Result<(), services::AccountError> {
        const REASON: &str = "the password was changed";
        let (host, username) = self.place(account)?;
        self.accounts.set_password(account, password).await?;
        let session = stays.cloned();
        host.fire(UserPasswordChanged { username: username.into(), session }).await;
        for session in host.sessions().of(username) {
            if session.state() == SessionState::Detached {
                // No stream is left to close, but the session could be resumed.
                host.end_session(&session, Some(REASON)).await;
            } else if Some(&session) != stays {
                session.close(StreamError::reset().text(REASON));
            }
        }
        Ok(())
    }

    async fn remove(
        &self,
        account: &BareJid,
        asks: Option<&Session>,
    ) -> Result<(), services::AccountError> {
        let (host, username) = self.place(account)?;
        if !self.accounts.exists(account).await? {
            return Err(services::AccountError::NotFound);
        }
        // Sessions end first, so that the data which handlers store then is removed too.
        end_sessions(&host, username, asks).await;
        host.fire(UserDeleted { username: username.into() }).await;
        self.accounts.remove(account).await?;
        // A client may have bound a resource before the account's generation changed.
        end_sessions(&host, username, asks).await;
        Ok(())
    }
}

async fn end_sessions(host: &HostContext, username: &str, asks: Option<&Session>) {
    const REASON: &str = "the account was removed";
    for session in host.sessions().of(username) {
        host.end_session(&session, Some(REASON)).await;
        if Some(&session) != asks {
            session.close(StreamError::not_authorized().text(REASON));
        }
    }
}

impl services::Accounts for HostAccounts {
    fn exists<'a>(&'a self, account: &'a BareJid) -> BoxFuture<'a, StorageResult<bool>> {
        Box::pin(async { Ok(self.accounts.exists(account).await?) })
    }

    fn generation(&self, account: &BareJid) -> Option<u64> {
        Some(self.accounts.generation(account))
    }

    fn credentials<'a>(
        &'a self,
        host: &'a str,
        username: &'a str,
        hash: ScramHash,
    ) -> BoxFuture<'a, StorageResult<ScramKeys>> {
        Box::pin(async move { Ok(self.accounts.credentials(host, username, hash).await?) })
    }

    fn verify<'a>(
        &'a self,
        host: &'a str,
        username: &'a str,
        password: &'a str,
    ) -> BoxFuture<'a, StorageResult<bool>> {
        Box::pin(async { Ok(self.accounts.verify(host, username, password).await?) })
    }

    fn create<'a>(
        &'a self,
        account: &'a BareJid,
        password: &'a str,
    ) -> BoxFuture<'a, Result<(), services::AccountError>> {
        Box::pin(async { Ok(self.accounts.create(account, password).await?) })
    }

    fn set_password<'a>(
        &'a self,
        account: &'a BareJid,
        password: &'a str,
        stays: Option<&'a Session>,
    ) -> BoxFuture<'a, Result<(), services::AccountError>> {
        Box::pin(self.set_password(account, password, stays))
    }

    fn remove<'a>(
        &'a self,
        account: &'a BareJid,
        asks: Option<&'a Session>,
    ) -> BoxFuture<'a, Result<(), services::AccountError>> {
        Box::pin(self.remove(account, asks))
    }
}

impl From<AccountStoreError> for StorageError {
    fn from(error: AccountStoreError) -> Self {
        match error {
            AccountStoreError::Storage(error) => error,
            error => Self::Backend(Box::new(error)),
        }
    }
}

impl From<AccountStoreError> for services::AccountError {
    fn from(error: AccountStoreError) -> Self {
        match error {
            AccountStoreError::Exists(_) => Self::Exists,
            AccountStoreError::NotFound(_) | AccountStoreError::NoName(_) => Self::NotFound,
            AccountStoreError::Password(error) => Self::Password(error.to_string().into()),
            error => Self::Storage(error.into()),
        }
    }
}
