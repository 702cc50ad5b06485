//! Rosters as XML, for clients and for storage.
//!
//! The key of a row is the contact's JID. The value is the push of the contact's last change:
//! `<query ver='7'><item jid='…' subscription='to'/></query>`, with `remove` for a removed contact.
//! The last [`MAX_REMOVED`] removals stay stored for clients that were offline; row [`FLOOR`] has
//! the oldest version from which all changes are known. A pending request has the key
//! `JID/request`, which is unambiguous because bare JIDs have no slash.

use std::collections::BTreeMap;

use event_core::{
    jid::BareJid,
    prelude::*,
    roster::{Roster, RosterItem, Subscription},
    storage::{self, Schema, StorageError, Write},
    xml::Child,
};

use crate::stored;

pub(super) const NS: &str = "jabber:iq:roster";

/// The store of the rosters.
pub(super) static SCHEMA: Schema = Schema { store: "roster", version: 1, migrations: &[] };

/// The number of removed contacts that are stored for clients that were offline.
const MAX_REMOVED: usize = 100;

/// The maximum number and size of changes that are sent as pushes. After more changes, a client gets
/// the whole roster, as one answer.
const MAX_CHANGES: usize = 100;
const MAX_CHANGES_BYTES: usize = 64 * 1024;

const FLOOR: &str = "/";
const REQUEST: &str = "/request";

/// A roster as stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StoredRoster {
    pub(super) roster: std::sync::Arc<Roster>,
    /// The version of the last change.
    pub(super) version: u64,
    /// Removed contacts, with the version of the removal.
    removed: BTreeMap<BareJid, u64>,
    /// The oldest version from which all changes are known.
    floor: u64,
    /// Whether another module has added contacts, which have no version.
    pub(super) is_augmented: bool,
}

/// The error for a stored row that is not valid.
#[derive(Debug, thiserror::Error)]
#[error("cannot parse the roster row {key:?}")]
struct BrokenRow {
    key: String,
}

impl StoredRoster {
    /// Reads the rows of an account. Returns also the keys of the requests that streams do not accept,
    /// which are no part of the roster.
    pub(super) fn read(
        username: &str,
        rows: Vec<storage::Entry>,
    ) -> Result<(Self, Vec<String>), StorageError> {
        let mut stored = Self::default();
        let mut roster = Roster::default();
        let mut refused = Vec::new();
        for row in rows {
            let element = stored::read(SCHEMA.store, username, &row.value);
            if element.is_none() && row.key.ends_with(REQUEST) {
                refused.push(row.key);
            } else if element
                .and_then(|element| stored.read_row(&mut roster, &row.key, element))
                .is_none()
            {
                return Err(StorageError::Backend(Box::new(BrokenRow { key: row.key })));
            }
        }
        stored.roster = std::sync::Arc::new(roster);
        Ok((stored, refused))
    }

    fn read_row(&mut self, roster: &mut Roster, key: &str, element: Element) -> Option<()> {
        if let Some(jid) = key.strip_suffix(REQUEST) {
            let jid = BareJid::new(jid).ok()?;
            // Rows are in the order of their keys, so the row of a listed contact has been read.
            let mut item = roster.get(&jid).cloned().unwrap_or_else(|| unlisted(jid));
            item.request = Some(element);
            roster.insert(item);
            return Some(());
        }
        let version = element.attribute("ver")?.parse().ok()?;
        if key == FLOOR {
            self.floor = version;
            return Some(());
        }
        self.version = self.version.max(version);
        let child = element.first_child()?;
        let jid = BareJid::new(key).ok()?;
        if child.attribute("subscription").as_deref() == Some("remove") {
            self.removed.insert(jid, version);
            return Some(());
        }
        let mut item = read_item(jid, &child)?;
        item.version = version;
        roster.insert(item);
        Some(())
    }

    /// The changes since version `known`, oldest first. `None` if the client needs the whole
    /// roster.
    pub(super) fn since(&self, known: Option<&str>) -> Option<Vec<Element>> {
        let known: u64 = known?.parse().ok()?;
        if self.is_augmented || known < self.floor || known > self.version {
            return None;
        }
        let changed = self.roster.items().filter(|item| item.version > known);
        let mut changes: Vec<_> =
            changed.map(|item| (item.version, push(item, item.version))).collect();
        let removed = self.removed.iter().filter(|(_, version)| **version > known);
        changes.extend(removed.map(|(jid, version)| (*version, removal(jid, *version))));
        let bytes = changes.iter().map(|(_, change)| change.as_bytes().len()).sum::<usize>();
        if changes.len() > MAX_CHANGES || bytes > MAX_CHANGES_BYTES {
            return None;
        }
        changes.sort_by_key(|(version, _)| *version);
        Some(changes.into_iter().map(|(_, change)| change).collect())
    }

    /// Changes a contact. Returns the new roster, the writes that store the change, and the push if
    /// the change is visible to the owner.
    pub(super) fn change(
        &self,
        jid: &BareJid,
        after: Option<RosterItem>,
        (store, owner): (&storage::Store, &str),
    ) -> (Self, Vec<Write>, Option<Element>) {
        let before = self.roster.get(jid);
        let mut new = self.clone();
        let mut batch = Vec::new();
        let mut pushed = None;
        let (seen, request) = (visible(before), before.and_then(|item| item.request.as_ref()));
        let mut after = after.filter(|item| item.is_listed || item.request.is_some());
        if seen != visible(after.as_ref()) {
            new.version += 1;
            let row = match after.as_mut().filter(|item| item.is_listed) {
                Some(item) => {
                    item.version = new.version;
                    new.removed.remove(jid);
                    push(item, new.version)
                }
                None => {
                    new.removed.insert(jid.clone(), new.version);
                    removal(jid, new.version)
                }
            };
            batch.push(store.to_set(owner, jid.as_str(), row.as_bytes().to_vec()));
            new.forget_oldest(&mut batch, (store, owner));
            pushed = Some(row);
        }
        let new_request = after.as_ref().and_then(|item| item.request.as_ref());
        let key = format!("{jid}{REQUEST}");
        match new_request {
            Some(new) if request != Some(new) => {
                batch.push(store.to_set(owner, &key, new.as_bytes().to_vec()));
            }
            None if request.is_some() => batch.push(store.to_delete(owner, &key)),
            _ => {}
        }
        let roster = std::sync::Arc::make_mut(&mut new.roster);
        match after {
            Some(item) => drop(roster.insert(item)),
            None => drop(roster.remove(jid)),
        }
        (new, batch, pushed)
    }

    fn forget_oldest(&mut self, batch: &mut Vec<Write>, (store, owner): (&storage::Store, &str)) {
        if self.removed.len() <= MAX_REMOVED {
            return;
        }
        let oldest = self.removed.iter().min_by_key(|(_, version)| **version);
        let Some((jid, version)) = oldest.map(|(jid, version)| (jid.clone(), *version)) else {
            return;
        };
        self.removed.remove(&jid);
        self.floor = version;
        batch.push(store.to_delete(owner, jid.as_str()));
        let floor = ElementBuilder::new("query", NS).attribute("ver", &version.to_string());
        batch.push(store.to_set(owner, FLOOR, floor.build().as_bytes().to_vec()));
    }
}

/// A contact with a pending request that is not in the visible roster.
pub(super) fn unlisted(jid: BareJid) -> RosterItem {
    RosterItem { is_listed: false, ..RosterItem::new(jid) }
}

/// The contact as the owner sees it, if listed.
fn visible(item: Option<&RosterItem>) -> Option<RosterItem> {
    let item = item.filter(|item| item.is_listed)?;
    Some(RosterItem { request: None, ..item.clone() })
}

fn read_item(jid: BareJid, child: &Child<'_>) -> Option<RosterItem> {
    let mut item = RosterItem::new(jid);
    item.name = child.attribute("name").map(|name| name.into_owned());
    item.subscription = Subscription::parse(&child.attribute("subscription")?)?;
    item.ask = child.attribute("ask").is_some();
    item.approved = child.attribute("approved").is_some();
    item.groups = child.children().map(|group| group.text().into_owned()).collect();
    Some(item)
}

fn item(item: &RosterItem) -> Element {
    let groups = item.groups.iter().map(|name| ElementBuilder::new("group", NS).text(name).build());
    let groups: Vec<_> = groups.collect();
    ElementBuilder::new("item", NS)
        .attribute("jid", item.jid.as_str())
        .optional_attribute("name", item.name.as_deref())
        .attribute("subscription", item.subscription.as_str())
        .optional_attribute("ask", item.ask.then_some("subscribe"))
        .optional_attribute("approved", item.approved.then_some("true"))
        .children(&groups)
        .build()
}

fn query(version: u64) -> ElementBuilder {
    ElementBuilder::new("query", NS).attribute("ver", &version.to_string())
}

/// The payload of a push of a contact.
pub(super) fn push(contact: &RosterItem, version: u64) -> Element {
    query(version).child(&item(contact)).build()
}

/// The payload of a push of a contact's removal.
fn removal(jid: &BareJid, version: u64) -> Element {
    let item = ElementBuilder::new("item", NS)
        .attribute("jid", jid.as_str())
        .attribute("subscription", "remove");
    query(version).child(&item.build()).build()
}

/// The whole roster.
pub(super) fn roster(roster: &Roster, version: u64) -> Element {
    roster.items().fold(query(version), |query, contact| query.child(&item(contact))).build()
}
