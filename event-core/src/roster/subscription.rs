//! The state transitions of subscriptions (RFC 6121 appendix A).

/// The types of subscription stanzas (RFC 6121 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubscriptionType {
    /// Requests a subscription to the contact's presence.
    Subscribe,
    /// Approves a subscription.
    Subscribed,
    /// Ends the sender's subscription.
    Unsubscribe,
    /// Denies or cancels the recipient's subscription.
    Unsubscribed,
}

impl SubscriptionType {
    /// Reads the `type` attribute of a presence.
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "subscribe" => Some(Self::Subscribe),
            "subscribed" => Some(Self::Subscribed),
            "unsubscribe" => Some(Self::Unsubscribe),
            "unsubscribed" => Some(Self::Unsubscribed),
            _ => None,
        }
    }

    /// The value of the `type` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Subscribed => "subscribed",
            Self::Unsubscribe => "unsubscribe",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// One direction of a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Link {
    /// No subscription and no request.
    #[default]
    None,
    /// A request waits for an answer.
    Pending,
    /// The subscription is active.
    Active,
}

/// The state of a contact's subscriptions: two directions of three states each make the nine states
/// of RFC 6121 appendix A.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ContactState {
    /// The owner's subscription to the contact.
    pub to: Link,
    /// The contact's subscription to the owner.
    pub from: Link,
    /// The owner has pre-approved the contact's subscription (RFC 6121 §3.4).
    pub approved: bool,
}

/// The effect of a subscription stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transition {
    /// The state before the stanza.
    pub before: ContactState,
    /// The state after the stanza.
    pub after: ContactState,
    /// Whether the stanza is forwarded: an outbound stanza to the contact's server, an inbound
    /// stanza to the owner's clients.
    pub passes: bool,
    /// The stanza with which the server answers the contact on the owner's behalf.
    pub reply: Option<SubscriptionType>,
}

impl ContactState {
    /// The transition when the owner sends the contact a stanza (RFC 6121 appendix A.2).
    #[must_use]
    pub fn outbound(self, kind: SubscriptionType) -> Transition {
        let mut after = self;
        let passes = match kind {
            SubscriptionType::Subscribe => {
                if self.to == Link::None {
                    after.to = Link::Pending;
                }
                true
            }
            SubscriptionType::Unsubscribe => {
                after.to = Link::None;
                true
            }
            SubscriptionType::Subscribed => {
                match self.from {
                    // Without a request, the stanza is a pre-approval (§3.4.2).
                    Link::None => after.approved = true,
                    Link::Pending => after.from = Link::Active,
                    Link::Active => {}
                }
                self.from == Link::Pending
            }
            SubscriptionType::Unsubscribed => {
                after.from = Link::None;
                after.approved = false;
                self.from != Link::None
            }
        };
        Transition { before: self, after, passes, reply: None }
    }

    /// The transition when the contact sends the owner a stanza (RFC 6121 appendix A.3).
    #[must_use]
    pub fn inbound(self, kind: SubscriptionType) -> Transition {
        let mut after = self;
        let mut reply = None;
        let passes = match kind {
            SubscriptionType::Subscribe => match self.from {
                Link::None if self.approved => {
                    after.from = Link::Active;
                    reply = Some(SubscriptionType::Subscribed);
                    false
                }
                Link::None => {
                    after.from = Link::Pending;
                    true
                }
                Link::Pending => false,
                Link::Active => {
                    reply = Some(SubscriptionType::Subscribed);
                    false
                }
            },
            SubscriptionType::Unsubscribe => {
                after.from = Link::None;
                self.from != Link::None
            }
            SubscriptionType::Subscribed => {
                if self.to == Link::Pending {
                    after.to = Link::Active;
                }
                self.to == Link::Pending
            }
            SubscriptionType::Unsubscribed => {
                after.to = Link::None;
                self.to != Link::None
            }
        };
        Transition { before: self, after, passes, reply }
    }
}

#[cfg(test)]
mod tests {
    use super::{ContactState, Link, SubscriptionType, SubscriptionType::*};

    /// The states as appendix A.1 names them.
    const STATES: [&str; 9] = [
        "None",
        "None + Pending Out",
        "None + Pending In",
        "None + Pending Out+In",
        "To",
        "To + Pending In",
        "From",
        "From + Pending Out",
        "Both",
    ];

    fn state(name: &str) -> ContactState {
        let (to, from) = match name {
            "None" => (Link::None, Link::None),
            "None + Pending Out" => (Link::Pending, Link::None),
            "None + Pending In" => (Link::None, Link::Pending),
            "None + Pending Out+In" => (Link::Pending, Link::Pending),
            "To" => (Link::Active, Link::None),
            "To + Pending In" => (Link::Active, Link::Pending),
            "From" => (Link::None, Link::Active),
            "From + Pending Out" => (Link::Pending, Link::Active),
            "Both" => (Link::Active, Link::Active),
            other => panic!("no state is called {other}"),
        };
        ContactState { to, from, approved: false }
    }

    /// For each of `STATES`: whether the stanza is forwarded, and the new state, `""` if unchanged.
    type Table = [(bool, &'static str); 9];

    fn check(
        tables: [(SubscriptionType, Table); 4],
        apply: fn(ContactState, SubscriptionType) -> super::Transition,
    ) {
        for (kind, table) in tables {
            for (name, (passes, new)) in STATES.into_iter().zip(table) {
                let before = state(name);
                let transition = apply(before, kind);
                let new = if new.is_empty() { name } else { new };
                let mut after = state(new);
                // Pre-approval is not part of the nine states and has its own test.
                after.approved = transition.after.approved;
                assert_eq!(transition.before, before, "{kind:?} in {name}");
                assert_eq!(transition.after, after, "{kind:?} in {name} leads to {new}");
                assert_eq!(transition.passes, passes, "{kind:?} in {name}");
            }
        }
    }

    #[test]
    fn outbound_stanzas_follow_appendix_a_2() {
        let subscribe = [
            (true, "None + Pending Out"),
            (true, ""),
            (true, "None + Pending Out+In"),
            (true, ""),
            (true, ""),
            (true, ""),
            (true, "From + Pending Out"),
            (true, ""),
            (true, ""),
        ];
        let unsubscribe = [
            (true, ""),
            (true, "None"),
            (true, ""),
            (true, "None + Pending In"),
            (true, "None"),
            (true, "None + Pending In"),
            (true, ""),
            (true, "From"),
            (true, "From"),
        ];
        let subscribed = [
            (false, ""),
            (false, ""),
            (true, "From"),
            (true, "From + Pending Out"),
            (false, ""),
            (true, "Both"),
            (false, ""),
            (false, ""),
            (false, ""),
        ];
        let unsubscribed = [
            (false, ""),
            (false, ""),
            (true, "None"),
            (true, "None + Pending Out"),
            (false, ""),
            (true, "To"),
            (true, "None"),
            (true, "None + Pending Out"),
            (true, "To"),
        ];
        let tables = [
            (Subscribe, subscribe),
            (Unsubscribe, unsubscribe),
            (Subscribed, subscribed),
            (Unsubscribed, unsubscribed),
        ];
        check(tables, ContactState::outbound);
    }

    #[test]
    fn inbound_stanzas_follow_appendix_a_3() {
        let subscribe = [
            (true, "None + Pending In"),
            (true, "None + Pending Out+In"),
            (false, ""),
            (false, ""),
            (true, "To + Pending In"),
            (false, ""),
            (false, ""),
            (false, ""),
            (false, ""),
        ];
        let unsubscribe = [
            (false, ""),
            (false, ""),
            (true, "None"),
            (true, "None + Pending Out"),
            (false, ""),
            (true, "To"),
            (true, "None"),
            (true, "None + Pending Out"),
            (true, "To"),
        ];
        let subscribed = [
            (false, ""),
            (true, "To"),
            (false, ""),
            (true, "To + Pending In"),
            (false, ""),
            (false, ""),
            (false, ""),
            (true, "Both"),
            (false, ""),
        ];
        let unsubscribed = [
            (false, ""),
            (true, "None"),
            (false, ""),
            (true, "None + Pending In"),
            (true, "None"),
            (true, "None + Pending In"),
            (false, ""),
            (true, "From"),
            (true, "From"),
        ];
        let tables = [
            (Subscribe, subscribe),
            (Unsubscribe, unsubscribe),
            (Subscribed, subscribed),
            (Unsubscribed, unsubscribed),
        ];
        check(tables, ContactState::inbound);
    }

    #[test]
    fn only_a_subscribe_from_a_subscribed_or_approved_contact_is_answered() {
        for name in STATES {
            for kind in [Subscribe, Subscribed, Unsubscribe, Unsubscribed] {
                let is_active = state(name).from == Link::Active;
                let expected = (kind == Subscribe && is_active).then_some(Subscribed);
                assert_eq!(state(name).inbound(kind).reply, expected, "{kind:?} in {name}");
                assert_eq!(state(name).outbound(kind).reply, None);
            }
        }
    }

    #[test]
    fn a_pre_approval_is_kept_until_it_is_used_or_cancelled() {
        for name in STATES {
            let before = state(name);
            let approved = before.outbound(Subscribed).after;
            let is_beforehand = before.from == Link::None;
            assert_eq!(approved.approved, is_beforehand, "{name}");
            if !is_beforehand {
                continue;
            }
            let asked = approved.inbound(Subscribe);
            assert_eq!(asked.after.from, Link::Active, "{name}: the pre-approval is not used");
            assert_eq!(asked.after.to, before.to);
            assert_eq!((asked.passes, asked.reply), (false, Some(Subscribed)));
            let taken_back = approved.outbound(Unsubscribed);
            assert_eq!((taken_back.after, taken_back.passes), (before, false), "{name}");
        }
    }

    #[test]
    fn types_parse_from_their_own_text() {
        for kind in [Subscribe, Subscribed, Unsubscribe, Unsubscribed] {
            assert_eq!(SubscriptionType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(SubscriptionType::parse("unavailable"), None);
    }
}
