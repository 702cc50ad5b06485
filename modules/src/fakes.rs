//! In-memory versions of the server's services, for the tests of modules.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use event_core::{
    BoxFuture,
    jid::{BareJid, Jid},
    prelude::*,
    roster::{Roster, RosterItem, Subscription, SubscriptionType, Transition},
    services::{AccountError, Accounts, Direction, Rosters, ScramHash, ScramKeys},
    storage::{StorageError, StorageResult},
    testing::Client,
};

/// The accounts of one host, with their passwords.
#[derive(Default)]
pub(crate) struct FakeAccounts {
    host: Mutex<Option<HostContext>>,
    passwords: Mutex<BTreeMap<BareJid, String>>,
    is_broken: AtomicBool,
}

impl FakeAccounts {
    /// Makes accounts whose passwords are the usernames.
    pub(crate) fn of(accounts: &[&str]) -> Arc<Self> {
        let passwords = accounts.iter().map(|jid| {
            let jid = BareJid::new(jid).unwrap();
            let password = jid.node().unwrap().to_string();
            (jid, password)
        });
        Arc::new(Self { passwords: Mutex::new(passwords.collect()), ..Self::default() })
    }

    /// Returns an argument for [`event_core::testing::Builder::prepare`].
    pub(crate) fn provide(self: &Arc<Self>) -> impl Fn(&HostContext) + 'static {
        let accounts = Arc::clone(self);
        move |host| {
            *accounts.host.lock().unwrap() = Some(host.clone());
            host.provide::<dyn Accounts>(accounts.clone());
        }
    }

    pub(crate) fn password(&self, account: &str) -> Option<String> {
        self.passwords.lock().unwrap().get(&BareJid::new(account).unwrap()).cloned()
    }

    /// Makes later removals fail.
    pub(crate) fn break_storage(&self) {
        self.is_broken.store(true, Ordering::Relaxed);
    }
}

impl Accounts for FakeAccounts {
    fn exists<'a>(&'a self, account: &'a BareJid) -> BoxFuture<'a, StorageResult<bool>> {
        Box::pin(async { Ok(self.passwords.lock().unwrap().contains_key(account)) })
    }

    fn credentials<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: ScramHash,
    ) -> BoxFuture<'a, StorageResult<ScramKeys>> {
        Box::pin(async { Err(StorageError::Closed) })
    }

    fn verify<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, StorageResult<bool>> {
        Box::pin(async { Err(StorageError::Closed) })
    }

    fn create<'a>(
        &'a self,
        account: &'a BareJid,
        password: &'a str,
    ) -> BoxFuture<'a, Result<(), AccountError>> {
        Box::pin(async move {
            self.passwords.lock().unwrap().insert(account.clone(), password.into());
            Ok(())
        })
    }

    fn set_password<'a>(
        &'a self,
        account: &'a BareJid,
        password: &'a str,
        _: Option<&'a Session>,
    ) -> BoxFuture<'a, Result<(), AccountError>> {
        if password == "\u{7}" {
            return Box::pin(async { Err(AccountError::Password("no bells".into())) });
        }
        self.create(account, password)
    }

    fn remove<'a>(
        &'a self,
        account: &'a BareJid,
        _: Option<&'a Session>,
    ) -> BoxFuture<'a, Result<(), AccountError>> {
        Box::pin(async move {
            if !self.exists(account).await? {
                return Err(AccountError::NotFound);
            }
            let host = self.host.lock().unwrap().clone().unwrap();
            for session in host.sessions().of(account.node().unwrap().as_str()) {
                host.end_session(&session, None).await;
            }
            if self.is_broken.load(Ordering::Relaxed) {
                return Err(StorageError::Closed.into());
            }
            self.passwords.lock().unwrap().remove(account);
            Ok(())
        })
    }
}

/// Usernames, each with a contact who may see the user's presence.
#[derive(Clone)]
pub(crate) struct FakeRosters(pub(crate) &'static [(&'static str, &'static str)]);

impl FakeRosters {
    pub(crate) fn provide(self) -> impl Fn(&HostContext) + 'static {
        move |host| host.provide::<dyn Rosters>(Arc::new(self.clone()))
    }
}

impl Rosters for FakeRosters {
    fn roster<'a>(&'a self, username: &'a str) -> BoxFuture<'a, StorageResult<Arc<Roster>>> {
        let mut roster = Roster::default();
        for (_, contact) in self.0.iter().filter(|(owner, _)| *owner == username) {
            let mut item = RosterItem::new(Jid::new(contact).unwrap().to_bare());
            item.subscription = Subscription::From;
            roster.insert(item);
        }
        Box::pin(async { Ok(Arc::new(roster)) })
    }

    fn subscription<'a>(
        &'a self,
        _: &'a str,
        _: &'a BareJid,
        _: Direction,
        _: SubscriptionType,
        _: &'a Element,
    ) -> BoxFuture<'a, Result<Transition, StanzaError>> {
        Box::pin(async { Err(StanzaError::feature_not_implemented()) })
    }
}

/// The condition of the error in the next stanza that the client got.
pub(crate) fn condition(client: &Client) -> String {
    let answer = client.next().expect("the client must have received an answer");
    let error = answer.child("error", STANZA_NS).unwrap_or_else(|| panic!("{answer}"));
    error.first_child().unwrap().name().to_owned()
}

/// Sends `xml` and returns the condition of the error that the client receives.
pub(crate) async fn refused(client: &Client, xml: &str) -> String {
    client.send(xml).await;
    condition(client)
}
