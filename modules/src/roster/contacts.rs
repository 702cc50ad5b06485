//! The rosters of a host. A roster is changed by one task at a time. The rosters of users who are
//! online stay in memory.

use std::{
    borrow::Borrow,
    collections::HashSet,
    hash::{Hash, Hasher},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};

use event_core::{
    BoxFuture,
    jid::BareJid,
    prelude::*,
    roster::{Link, Roster, RosterItem, SubscriptionType, Transition},
    services::{Direction, Rosters},
    storage::{StorageError, StorageResult, Store},
};

use super::{
    limits::RosterLimits,
    record::{self, StoredRoster},
};
use crate::stanzas;

/// The maximum size of a stored subscription request, in bytes.
const MAX_REQUEST: usize = 4 * 1024;

/// The rosters of a host.
#[derive(Debug)]
pub(super) struct Contacts {
    host: HostContext,
    store: Store,
    limits: Mutex<RosterLimits>,
    accounts: Mutex<HashSet<Named>>,
    /// The roster that accounts without contacts share.
    empty: Arc<StoredRoster>,
}

#[derive(Debug)]
struct Account {
    username: Box<str>,
    lock: tokio::sync::Mutex<()>,
    loaded: Mutex<Option<Arc<StoredRoster>>>,
}

impl Account {
    fn loaded(&self) -> MutexGuard<'_, Option<Arc<StoredRoster>>> {
        self.loaded.lock()
    }
}

/// An account as a member of a set, compared by its name.
#[derive(Debug)]
struct Named(Arc<Account>);

impl Borrow<str> for Named {
    fn borrow(&self) -> &str {
        &self.0.username
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.username == other.0.username
    }
}

impl Eq for Named {}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.username.hash(state);
    }
}

impl Contacts {
    pub(super) fn new(host: &HostContext, store: Store, limits: RosterLimits) -> Self {
        let (host, accounts) = (host.clone(), Mutex::default());
        Self { host, store, limits: Mutex::new(limits), accounts, empty: Arc::default() }
    }

    pub(super) fn set_limits(&self, limits: RosterLimits) {
        *self.limits.lock() = limits;
    }

    fn limits(&self) -> RosterLimits {
        *self.limits.lock()
    }

    fn accounts(&self) -> MutexGuard<'_, HashSet<Named>> {
        self.accounts.lock()
    }

    /// Gets or creates the account in memory. Dropping the [`Entry`] removes the account from
    /// memory if the user is not online.
    pub(super) fn enter<'a>(&'a self, username: &'a str) -> Entry<'a> {
        let mut accounts = self.accounts();
        let known = accounts.get(username).map(|Named(account)| Arc::clone(account));
        let account = known.unwrap_or_else(|| {
            let (lock, loaded) = Default::default();
            let account = Arc::new(Account { username: username.into(), lock, loaded });
            accounts.insert(Named(Arc::clone(&account)));
            account
        });
        drop(accounts);
        Entry { contacts: self, username, account }
    }

    /// The number of accounts in memory.
    #[cfg(test)]
    pub(super) fn in_memory(&self) -> usize {
        self.accounts().len()
    }
}

/// See [`Contacts::enter`].
#[derive(Debug)]
pub(super) struct Entry<'a> {
    contacts: &'a Contacts,
    username: &'a str,
    account: Arc<Account>,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let mut is_online = false;
        self.contacts.host.sessions().each(self.username, |_| is_online = true);
        let mut accounts = self.contacts.accounts();
        // If only the set and this `Entry` have references, no other `Entry` exists. No other can
        // be made meanwhile, because `enter` waits for the lock of the set.
        if !is_online && Arc::strong_count(&self.account) == 2 {
            accounts.remove(self.username);
        }
    }
}

impl Entry<'_> {
    /// Waits for the lock that is needed to load and change the roster.
    pub(super) async fn lock(&self) -> AccountLock<'_> {
        AccountLock { entry: self, _guard: self.account.lock.lock().await }
    }

    /// Removes the roster from memory, so that it is read again.
    pub(super) fn forget(&self) {
        *self.account.loaded() = None;
    }
}

/// The lock that is needed to load and change a roster.
#[derive(Debug)]
pub(super) struct AccountLock<'a> {
    entry: &'a Entry<'a>,
    _guard: tokio::sync::MutexGuard<'a, ()>,
}

impl AccountLock<'_> {
    /// The roster, read from storage unless it is in memory.
    pub(super) async fn load(&self) -> StorageResult<Arc<StoredRoster>> {
        let account = &self.entry.account;
        if let Some(stored) = &*account.loaded() {
            return Ok(Arc::clone(stored));
        }
        let contacts = self.entry.contacts;
        let (owner, store) = (self.entry.username, &contacts.store);
        let (mut stored, refused) = StoredRoster::read(owner, store.all(owner).await?)?;
        for key in refused {
            store.delete(owner, &key).await?;
        }
        let host = &contacts.host;
        let username = owner.into();
        let roster = Roster::clone(&stored.roster);
        let loaded = host.fire(RosterLoad { username, roster }).await.event.roster;
        if loaded != *stored.roster {
            stored.is_augmented = true;
            stored.roster = Arc::new(loaded);
        }
        let is_empty = stored == *contacts.empty;
        let stored = if is_empty { Arc::clone(&contacts.empty) } else { Arc::new(stored) };
        *account.loaded() = Some(Arc::clone(&stored));
        Ok(stored)
    }

    /// Changes a contact: stores the result of `apply`, calls `on_stored`, and pushes the change to
    /// the clients that follow the roster. Returns the contact before the change.
    pub(super) async fn change(
        &self,
        jid: &BareJid,
        apply: impl FnOnce(Option<&RosterItem>) -> Result<Option<RosterItem>, StanzaError>,
        on_stored: impl FnOnce(),
    ) -> Result<Option<RosterItem>, StanzaError> {
        let contacts = self.entry.contacts;
        let stored = self.load().await?;
        let before = stored.roster.get(jid);
        let after = apply(before)?;
        contacts.limits().check(&stored.roster, jid, after.as_ref())?;
        let owner = self.entry.username;
        let (new, batch, pushed) = stored.change(jid, after, (&contacts.store, owner));
        let host = &contacts.host;
        if !batch.is_empty() {
            // If this future is dropped here, the next reader gets the roster from storage.
            self.entry.forget();
            host.transact(batch).await.map_err(|error| match error {
                StorageError::Name => StanzaError::not_acceptable().text("the address is too long"),
                error => error.into(),
            })?;
            *self.entry.account.loaded() = Some(Arc::new(new));
        }
        on_stored();
        if let Some(pushed) = pushed {
            host.sessions().each(owner, |session| {
                if follows(session) {
                    stanzas::push(session, &pushed);
                }
            });
        }
        Ok(before.cloned())
    }
}

impl Rosters for Contacts {
    fn roster<'a>(&'a self, username: &'a str) -> BoxFuture<'a, StorageResult<Arc<Roster>>> {
        Box::pin(async move {
            let entry = self.enter(username);
            if let Some(stored) = &*entry.account.loaded() {
                return Ok(Arc::clone(&stored.roster));
            }
            let stored = entry.lock().await.load().await?;
            Ok(Arc::clone(&stored.roster))
        })
    }

    fn subscription<'a>(
        &'a self,
        username: &'a str,
        contact: &'a BareJid,
        direction: Direction,
        kind: SubscriptionType,
        stanza: &'a Element,
    ) -> BoxFuture<'a, Result<Transition, StanzaError>> {
        Box::pin(async move {
            let entry = self.enter(username);
            let lock = entry.lock().await;
            let stored = lock.load().await?;
            let state = stored.roster.get(contact).map(RosterItem::state).unwrap_or_default();
            let transition = match direction {
                Direction::Inbound => state.inbound(kind),
                Direction::Outbound => state.outbound(kind),
            };
            let is_request = transition.after.from == Link::Pending && state.from != Link::Pending;
            // RFC 6121 §3.1.3: the whole request is stored.
            if is_request && stanza.as_bytes().len() > MAX_REQUEST {
                let text = "the subscription request is too long";
                return Err(StanzaError::policy_violation().text(text));
            }
            let apply = |before: Option<&RosterItem>| {
                let mut item = before.cloned().unwrap_or_else(|| record::unlisted(contact.clone()));
                let after = transition.after;
                item.set_state(after);
                if is_request {
                    item.request = Some(stanza.clone());
                }
                item.is_listed |=
                    after.to != Link::None || after.from == Link::Active || after.approved;
                Ok(Some(item))
            };
            let deliver = || {
                if direction == Direction::Inbound && transition.passes {
                    self.deliver(username, kind, stanza);
                }
            };
            lock.change(contact, apply, deliver).await?;
            Ok(transition)
        })
    }
}

impl Contacts {
    /// Delivers a request to the available clients (RFC 6121 §3.1.3). Delivers all other types to
    /// the clients that follow the roster, before the push (§3.1.6, §3.2.3, §3.3.3).
    fn deliver(&self, username: &str, kind: SubscriptionType, stanza: &Element) {
        self.host.sessions().each(username, |session| {
            let is_recipient = match kind {
                SubscriptionType::Subscribe => session.presence().is_some(),
                _ => follows(session),
            };
            if is_recipient {
                session.send(stanza);
            }
        });
    }
}

/// The mark in the slot of a session that requested the roster, and so gets pushes (RFC 6121
/// §2.1.6).
#[derive(Debug)]
struct Follows;

pub(super) fn follow(session: &Session) {
    session.with_slot(|slot: &mut Option<Follows>| *slot = Some(Follows));
}

fn follows(session: &Session) -> bool {
    session.with_slot(|slot: &mut Option<Follows>| slot.is_some())
}
