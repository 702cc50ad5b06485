//! Rosters (RFC 6121 §2): a user's contacts and the presence subscriptions to and from them.

mod subscription;

pub use self::subscription::{ContactState, Link, SubscriptionType, Transition};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jid::BareJid;
use xmpp_xml::Element;

/// A presence subscription, from the roster owner's side (RFC 6121 §2.1.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Subscription {
    /// Neither the owner nor the contact sees the other's presence.
    #[default]
    None,
    /// The owner sees the contact's presence.
    To,
    /// The contact sees the owner's presence.
    From,
    /// The owner and the contact see each other's presence.
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
    /// The contact's address.
    pub jid: BareJid,
    /// The owner's name for the contact.
    pub name: Option<String>,
    /// The subscription.
    pub subscription: Subscription,
    /// Whether the owner's subscription request waits for an answer.
    pub ask: bool,
    /// Whether the owner has pre-approved the contact's subscription (RFC 6121 §3.4).
    pub approved: bool,
    /// The groups of the contact.
    pub groups: BTreeSet<String>,
    /// Whether the item is in the roster that clients see. An item that has only a subscription
    /// request is hidden from clients (RFC 6121 §3.1.3).
    pub is_listed: bool,
    /// The complete `subscribe` presence that waits for the owner's answer.
    pub request: Option<Element>,
    /// The version of the roster at the last change of the item that clients see.
    pub version: u64,
}

impl RosterItem {
    /// A listed contact without a subscription.
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

    /// The state of the subscription in both directions.
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

    /// Sets the state of the subscription in both directions. Without a pending request from the
    /// contact, [`request`](Self::request) is cleared; for a new one the caller sets `request`.
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

/// The contacts of a user. A clone shares the contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    contacts: BTreeMap<BareJid, Arc<RosterItem>>,
}

impl Roster {
    /// The contacts that clients see, in the order of their JIDs.
    pub fn items(&self) -> impl Iterator<Item = &RosterItem> {
        self.contacts().filter(|contact| contact.is_listed)
    }

    /// All contacts, including those that only have a subscription request.
    pub fn contacts(&self) -> impl Iterator<Item = &RosterItem> {
        self.contacts.values().map(|contact| &**contact)
    }

    /// A contact, listed or not.
    pub fn get(&self, jid: &BareJid) -> Option<&RosterItem> {
        self.contacts.get(jid).map(|contact| &**contact)
    }

    /// Inserts a contact and returns the replaced contact, if any.
    pub fn insert(&mut self, item: RosterItem) -> Option<Arc<RosterItem>> {
        self.contacts.insert(item.jid.clone(), Arc::new(item))
    }

    /// Removes and returns a contact.
    pub fn remove(&mut self, jid: &BareJid) -> Option<Arc<RosterItem>> {
        self.contacts.remove(jid)
    }

    /// The subscription of a contact.
    pub fn subscription(&self, jid: &BareJid) -> Subscription {
        self.get(jid).map_or(Subscription::None, |item| item.subscription)
    }

    /// Whether `jid` sees the owner's presence.
    pub fn may_see(&self, jid: &BareJid) -> bool {
        self.subscription(jid).is_from()
    }
}
