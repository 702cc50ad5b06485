//! Rosters (RFC 6121 §2): a user's contacts and what was agreed with each.

use std::collections::{BTreeMap, BTreeSet};

use jid::BareJid;

/// Who sees whose presence (RFC 6121 §2.1.2.5), as the roster's owner would put it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Subscription {
    /// Nobody.
    #[default]
    None,
    /// The owner sees the contact's.
    To,
    /// The contact sees the owner's.
    From,
    /// Each sees the other's.
    Both,
}

impl Subscription {
    /// Whether the owner sees the contact's presence.
    pub fn is_to(self) -> bool {
        matches!(self, Self::To | Self::Both)
    }

    /// Whether the contact sees the owner's presence.
    pub fn is_from(self) -> bool {
        matches!(self, Self::From | Self::Both)
    }
}

/// A contact (RFC 6121 §2.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterItem {
    /// The contact.
    pub jid: BareJid,
    /// What the owner calls it.
    pub name: Option<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// Whether the owner has asked to see the contact's presence, and waits.
    pub ask: bool,
    /// Whether the owner has agreed beforehand to be seen (RFC 6121 §3.4).
    pub approved: bool,
    /// The groups the owner has put it in.
    pub groups: BTreeSet<String>,
}

impl RosterItem {
    /// A contact with whom nothing was agreed.
    pub fn new(jid: BareJid) -> Self {
        Self {
            jid,
            name: None,
            subscription: Subscription::None,
            ask: false,
            approved: false,
            groups: BTreeSet::new(),
        }
    }
}

/// The contacts of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    items: BTreeMap<BareJid, RosterItem>,
}

impl Roster {
    /// The contacts, in the order of their JIDs.
    pub fn items(&self) -> impl Iterator<Item = &RosterItem> {
        self.items.values()
    }

    /// A contact.
    pub fn get(&self, jid: &BareJid) -> Option<&RosterItem> {
        self.items.get(jid)
    }

    /// Puts a contact in; the one that was there comes back.
    pub fn insert(&mut self, item: RosterItem) -> Option<RosterItem> {
        self.items.insert(item.jid.clone(), item)
    }

    /// Takes a contact out.
    pub fn remove(&mut self, jid: &BareJid) -> Option<RosterItem> {
        self.items.remove(jid)
    }

    /// Who sees whose presence.
    pub fn subscription(&self, jid: &BareJid) -> Subscription {
        self.get(jid).map_or(Subscription::None, |item| item.subscription)
    }

    /// Whether `jid` sees the owner's presence.
    pub fn may_see(&self, jid: &BareJid) -> bool {
        self.subscription(jid).is_from()
    }
}
