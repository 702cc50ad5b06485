//! Stanzas that several modules send.

use event_core::{prelude::*, random_id};

/// Sends a client an iq set from its own account, such as a roster push.
pub(crate) fn push(session: &Session, payload: &Element) {
    let Some(jid) = session.jid() else { return };
    let push = ElementBuilder::new("iq", STANZA_NS)
        .attribute("type", "set")
        .attribute("id", &random_id())
        .attribute("to", jid.as_str())
        .child(payload);
    session.send_own(&push.build());
}

/// Unavailable presence.
pub(crate) fn unavailable(from: &str, to: Option<&str>) -> Element {
    ElementBuilder::new("presence", STANZA_NS)
        .attribute("from", from)
        .optional_attribute("to", to)
        .attribute("type", "unavailable")
        .build()
}
