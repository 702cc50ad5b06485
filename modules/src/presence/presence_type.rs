//! The types of presence stanzas (RFC 6121 §4.7.1).

use event_core::{prelude::*, roster::SubscriptionType};

/// The type of a presence (RFC 6121 §4.7.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PresenceType {
    Available,
    Unavailable,
    Error,
    Probe,
    Subscription(SubscriptionType),
}

impl PresenceType {
    pub(super) fn of(presence: &Presence) -> Result<Self, StanzaError> {
        Ok(match presence.type_().as_deref() {
            None => Self::Available,
            Some("unavailable") => Self::Unavailable,
            Some("error") => Self::Error,
            Some("probe") => Self::Probe,
            Some(other) => match SubscriptionType::parse(other) {
                Some(kind) => Self::Subscription(kind),
                None => {
                    return Err(
                        StanzaError::bad_request().text("the type of the presence is unknown")
                    );
                }
            },
        })
    }

    /// Whether clients get presence of this type. The server answers all other types.
    pub(super) fn is_delivered(self) -> bool {
        matches!(self, Self::Available | Self::Unavailable | Self::Error)
    }
}
