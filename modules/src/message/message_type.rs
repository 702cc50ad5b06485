//! The types of messages (RFC 6121 §5.2.2).

use event_core::prelude::*;

/// RFC 6121 §5.2.2; what is not one of these counts as `normal`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Normal,
    Chat,
    Groupchat,
    Headline,
    Error,
}

pub(crate) fn kind(message: &Message) -> Kind {
    match message.type_().as_deref() {
        Some("chat") => Kind::Chat,
        Some("groupchat") => Kind::Groupchat,
        Some("headline") => Kind::Headline,
        Some("error") => Kind::Error,
        _ => Kind::Normal,
    }
}
