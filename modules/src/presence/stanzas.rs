//! Presence stanzas that the server sends for accounts and their clients.

use std::sync::Arc;

use event_core::{
    Module,
    jid::{BareJid, Jid},
    prelude::*,
    roster::Roster,
    services::Rosters,
};

/// The roster of an account, empty on hosts without rosters.
pub(super) async fn roster(username: &str, host: &Host) -> Result<Arc<Roster>, StanzaError> {
    match host.service::<dyn Rosters>() {
        Some(rosters) => Ok(rosters.roster(username).await?),
        None => Ok(Arc::default()),
    }
}

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

/// Sends unavailable presence of a user's available clients to `to`.
pub(super) fn send_unavailable(username: &str, to: &BareJid, cx: &Context<impl Module>) {
    for session in cx.host().sessions().of(username) {
        if let (Some(jid), Some(_)) = (session.jid(), session.presence()) {
            let unavailable = ElementBuilder::new("presence", STANZA_NS)
                .attribute("from", jid.as_str())
                .attribute("to", to.as_str())
                .attribute("type", "unavailable");
            cx.send(unavailable.build());
        }
    }
}
