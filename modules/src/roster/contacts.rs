//! The rosters of a host in memory: one change at a time for each account, and those of users who
//! are online kept.

use std::{
    borrow::Borrow,
    collections::HashSet,
    hash::{Hash, Hasher},
    sync::{Arc, Weak},
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
    record::{self, Kept, NS},
};

/// The longest subscription request that is kept, in bytes.
const MAX_REQUEST: usize = 8 * 1024;

/// The rosters of a host.
#[derive(Debug)]
pub(super) struct Contacts {
    host: Weak<Host>,
    store: Store,
    limits: Mutex<RosterLimits>,
    accounts: Mutex<HashSet<Named>>,
    /// What accounts without contacts share.
    empty: Arc<Kept>,
}

#[derive(Debug)]
struct Account {
    username: Box<str>,
    turn: tokio::sync::Mutex<()>,
    kept: Mutex<Option<Arc<Kept>>>,
}

impl Account {
    fn kept(&self) -> MutexGuard<'_, Option<Arc<Kept>>> {
        self.kept.lock()
    }
}

/// An account, found by its name.
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
    pub(super) fn new(host: &Arc<Host>, store: Store, limits: RosterLimits) -> Self {
        let (host, accounts) = (Arc::downgrade(host), Mutex::default());
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

    /// The account's place in memory. Leaving it, the roster of a user who is not online goes.
    pub(super) fn enter<'a>(&'a self, username: &'a str) -> Entry<'a> {
        let mut accounts = self.accounts();
        let known = accounts.get(username).map(|Named(account)| Arc::clone(account));
        let account = known.unwrap_or_else(|| {
            let (turn, kept) = Default::default();
            let account = Arc::new(Account { username: username.into(), turn, kept });
            accounts.insert(Named(Arc::clone(&account)));
            account
        });
        drop(accounts);
        Entry { contacts: self, username, account }
    }

    /// How many rosters are in memory.
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
        if let Some(host) = self.contacts.host.upgrade() {
            host.sessions().each(self.username, |_| is_online = true);
        }
        let mut accounts = self.contacts.accounts();
        // The map's and this one: nobody else is in, and who comes waits for the lock.
        if !is_online && Arc::strong_count(&self.account) == 2 {
            accounts.remove(self.username);
        }
    }
}

impl Entry<'_> {
    /// Waits until nobody else changes the roster.
    pub(super) async fn turn(&self) -> Turn<'_> {
        Turn { entry: self, _guard: self.account.turn.lock().await }
    }

    /// What is in memory is no longer so.
    pub(super) fn forget(&self) {
        *self.account.kept() = None;
    }
}

/// The right to change a roster.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    entry: &'a Entry<'a>,
    _guard: tokio::sync::MutexGuard<'a, ()>,
}

impl Turn<'_> {
    /// The roster, read from storage if it has to be.
    pub(super) async fn kept(&self) -> StorageResult<Arc<Kept>> {
        let account = &self.entry.account;
        if let Some(kept) = &*account.kept() {
            return Ok(Arc::clone(kept));
        }
        let contacts = self.entry.contacts;
        let mut kept = Kept::read(contacts.store.all(self.entry.username).await?)?;
        let host = contacts.host.upgrade().ok_or(StorageError::Closed)?;
        let username = self.entry.username.into();
        let stored = Roster::clone(&kept.roster);
        let loaded = host.fire(RosterLoad { username, roster: stored }).await.event.roster;
        if loaded != *kept.roster {
            kept.is_augmented = true;
            kept.roster = Arc::new(loaded);
        }
        let is_empty = kept == *contacts.empty;
        let kept = if is_empty { Arc::clone(&contacts.empty) } else { Arc::new(kept) };
        *account.kept() = Some(Arc::clone(&kept));
        Ok(kept)
    }

    /// Changes a contact: stores what `apply` makes of it, calls `stored`, and pushes it to the
    /// clients that follow the roster. Gives the contact as it was.
    pub(super) async fn change(
        &self,
        jid: &BareJid,
        apply: impl FnOnce(Option<&RosterItem>) -> Result<Option<RosterItem>, StanzaError>,
        stored: impl FnOnce(),
    ) -> Result<Option<RosterItem>, StanzaError> {
        let contacts = self.entry.contacts;
        let kept = self.kept().await?;
        let before = kept.roster.get(jid);
        let after = apply(before)?;
        contacts.limits().check(&kept.roster, jid, after.as_ref())?;
        let owner = self.entry.username;
        let (new, batch, pushed) = kept.change(jid, after, (&contacts.store, owner));
        let host = contacts.host.upgrade().ok_or(StorageError::Closed)?;
        if !batch.is_empty() {
            // Should this be dropped while it waits, the storage knows what became of it.
            self.entry.forget();
            host.transact(batch).await.map_err(|error| match error {
                StorageError::Name => StanzaError::not_acceptable().text("the address is too long"),
                error => error.into(),
            })?;
            *self.entry.account.kept() = Some(Arc::new(new));
        }
        stored();
        if let Some(pushed) = pushed {
            host.sessions().each(owner, |session| {
                if follows(session) {
                    push(session, &pushed);
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
            if let Some(kept) = &*entry.account.kept() {
                return Ok(Arc::clone(&kept.roster));
            }
            let kept = entry.turn().await.kept().await?;
            Ok(Arc::clone(&kept.roster))
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
            let turn = entry.turn().await;
            let kept = turn.kept().await?;
            let state = kept.roster.get(contact).map(RosterItem::state).unwrap_or_default();
            let transition = match direction {
                Direction::Inbound => state.inbound(kind),
                Direction::Outbound => state.outbound(kind),
            };
            let is_request = transition.after.from == Link::Pending && state.from != Link::Pending;
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
            turn.change(contact, apply, deliver).await?;
            Ok(transition)
        })
    }
}

impl Contacts {
    /// RFC 6121 §3.1.3: a request goes to the clients that are available. §3.1.6, §3.2.3, §3.3.3:
    /// the rest to those that follow the roster, ahead of the push.
    fn deliver(&self, username: &str, kind: SubscriptionType, stanza: &Element) {
        let Some(host) = self.host.upgrade() else { return };
        host.sessions().each(username, |session| {
            let is_for = match kind {
                SubscriptionType::Subscribe => session.presence().is_some(),
                _ => follows(session),
            };
            if is_for {
                session.send(stanza);
            }
        });
    }
}

/// A client that has asked for the roster is told of changes (RFC 6121 §2.1.6).
#[derive(Debug)]
struct Follows;

pub(super) fn follow(session: &Session) {
    session.with_slot(|slot: &mut Option<Follows>| *slot = Some(Follows));
}

fn follows(session: &Session) -> bool {
    session.with_slot(|slot: &mut Option<Follows>| slot.is_some())
}

/// Tells a client of a change.
pub(super) fn push(session: &Session, change: &Element) {
    let Some(jid) = session.jid() else { return };
    debug_assert!(change.is("query", NS), "a push tells of a roster");
    let push = ElementBuilder::new("iq", STANZA_NS)
        .attribute("type", "set")
        .attribute("id", &event_core::random_id())
        .attribute("to", jid.as_str())
        .child(change);
    session.send(&push.build());
}
