//! The types of messages (RFC 6121 §5.2.2).

use event_core::prelude::*;

/// The type of a message. A missing or unknown type counts as `normal`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MessageType {
    Normal,
    Chat,
    Groupchat,
    Headline,
    Error,
}

impl MessageType {
    pub(crate) fn of(message: &Message) -> Self {
        match message.type_().as_deref() {
            Some("chat") => Self::Chat,
            Some("groupchat") => Self::Groupchat,
            Some("headline") => Self::Headline,
            Some("error") => Self::Error,
            _ => Self::Normal,
        }
    }
}
