//! The types of presence stanzas (RFC 6121 §4.7.1).

use event_core::{prelude::*, roster::SubscriptionType};

/// The type of a presence (RFC 6121 §4.7.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Available,
    Unavailable,
    Error,
    Probe,
    Subscription(SubscriptionType),
}

impl Kind {
    /// Whether it is for clients; the rest is for the server.
    pub(super) fn is_delivered(self) -> bool {
        matches!(self, Self::Available | Self::Unavailable | Self::Error)
    }
}

pub(super) fn kind(presence: &Presence) -> Result<Kind, StanzaError> {
    Ok(match presence.type_().as_deref() {
        None => Kind::Available,
        Some("unavailable") => Kind::Unavailable,
        Some("error") => Kind::Error,
        Some("probe") => Kind::Probe,
        Some(other) => match SubscriptionType::parse(other) {
            Some(kind) => Kind::Subscription(kind),
            None => return Err(StanzaError::bad_request().text("no such type of presence")),
        },
    })
}
