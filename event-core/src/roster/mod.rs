//! Rosters (RFC 6121 §2): a user's contacts and what was agreed with each.

mod subscription;

pub use self::subscription::{ContactState, Link, SubscriptionType, Transition};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jid::BareJid;
use xmpp_xml::Element;

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

    /// The value of the `subscription` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::To => "to",
            Self::From => "from",
            Self::Both => "both",
        }
    }

    /// Reads the `subscription` attribute of a stored item.
    pub fn parse(value: &str) -> Option<Self> {
        [Self::None, Self::To, Self::From, Self::Both].into_iter().find(|s| s.as_str() == value)
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
    /// Whether the owner sees it in the roster: not while all there is of it is a request
    /// (RFC 6121 §3.1.3).
    pub is_listed: bool,
    /// The `subscribe` that waits for the owner's answer, whole.
    pub request: Option<Element>,
    /// The version of the roster that last changed what the owner sees of it.
    pub version: u64,
}

impl RosterItem {
    /// A listed contact with whom nothing was agreed.
    pub fn new(jid: BareJid) -> Self {
        Self {
            jid,
            name: None,
            subscription: Subscription::None,
            ask: false,
            approved: false,
            groups: BTreeSet::new(),
            is_listed: true,
            request: None,
            version: 0,
        }
    }

    /// What was asked and agreed, both ways.
    pub fn state(&self) -> ContactState {
        let link = |is_active, is_pending| match (is_active, is_pending) {
            (true, _) => Link::Active,
            (false, true) => Link::Pending,
            (false, false) => Link::None,
        };
        ContactState {
            to: link(self.subscription.is_to(), self.ask),
            from: link(self.subscription.is_from(), self.request.is_some()),
            approved: self.approved,
        }
    }

    /// Notes what was asked and agreed. A request that no longer waits is forgotten; one that
    /// begins to is the caller's to put in.
    pub fn set_state(&mut self, state: ContactState) {
        self.subscription = match (state.to == Link::Active, state.from == Link::Active) {
            (false, false) => Subscription::None,
            (true, false) => Subscription::To,
            (false, true) => Subscription::From,
            (true, true) => Subscription::Both,
        };
        self.ask = state.to == Link::Pending;
        self.approved = state.approved;
        if state.from != Link::Pending {
            self.request = None;
        }
    }
}

/// The contacts of a user. Cloning it copies no contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    contacts: BTreeMap<BareJid, Arc<RosterItem>>,
}

impl Roster {
    /// The contacts that the owner sees, in the order of their JIDs.
    pub fn items(&self) -> impl Iterator<Item = &RosterItem> {
        self.contacts().filter(|contact| contact.is_listed)
    }

    /// All contacts: those that the owner sees, and those of whom there is only a request.
    pub fn contacts(&self) -> impl Iterator<Item = &RosterItem> {
        self.contacts.values().map(|contact| &**contact)
    }

    /// A contact, listed or not.
    pub fn get(&self, jid: &BareJid) -> Option<&RosterItem> {
        self.contacts.get(jid).map(|contact| &**contact)
    }

    /// Puts a contact in; the one that was there comes back.
    pub fn insert(&mut self, item: RosterItem) -> Option<Arc<RosterItem>> {
        self.contacts.insert(item.jid.clone(), Arc::new(item))
    }

    /// Takes a contact out.
    pub fn remove(&mut self, jid: &BareJid) -> Option<Arc<RosterItem>> {
        self.contacts.remove(jid)
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
