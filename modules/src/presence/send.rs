//! Sends presence for accounts and their clients.

use event_core::{
    Module,
    jid::{BareJid, Jid},
    prelude::*,
};

use crate::stanzas;

/// A presence from an account or the host, without content.
pub(super) fn typed(from: &BareJid, to: &str, kind: Option<&str>) -> Element {
    ElementBuilder::new("presence", STANZA_NS)
        .attribute("from", from.as_str())
        .attribute("to", to)
        .optional_attribute("type", kind)
        .build()
}

/// Sends the presence of a user's available clients to `to`. Returns the number of these clients.
pub(super) fn send_available(username: &str, to: &Jid, cx: &Context<impl Module>) -> usize {
    let sessions = cx.host().sessions().of(username);
    let available = sessions.iter().filter_map(Session::presence);
    available.map(|theirs| cx.send_to(&theirs.presence, [to.clone()])).count()
}

/// Sends unavailable presence from each available client of a user to `to`.
pub(super) fn send_unavailable(username: &str, to: &BareJid, cx: &Context<impl Module>) {
    for session in cx.host().sessions().of(username) {
        if let (Some(jid), Some(_)) = (session.jid(), session.presence()) {
            cx.send(stanzas::unavailable(jid.as_str(), Some(to.as_str())));
        }
    }
}
